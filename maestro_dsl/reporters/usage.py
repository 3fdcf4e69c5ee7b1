"""Tokens and costs as a table, as JSON and as CSV; money is exact, and what is unknown is called so."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any, Final

from maestro_dsl.money import exact_usd, money_text
from maestro_dsl.reporters.text import FORMAT_VERSION, PLAIN, Style, percent, safe, table, tokens

if TYPE_CHECKING:
    from collections.abc import Sequence

    from maestro_dsl.engine.usage import Spending, UsageRow


UNKNOWN: Final = "unknown"
_COLUMNS: Final = (
    "runs",
    "calls",
    "tokens",
    "input_tokens",
    "output_tokens",
    "cache_write_tokens",
    "cache_read_tokens",
    "lost_tokens",
    "token_limit",
    "token_share",
    "usd",
    "unpriced_calls",
    "usd_limit",
    "usd_share",
    "cache_hits",
    "saved_tokens",
    "saved_usd",
)


def usd(nano_usd: int | None) -> str | None:
    """Return dollars as an exact decimal, None where nobody knows them."""
    return None if nano_usd is None else exact_usd(nano_usd)


def cost(spending: Spending) -> str:
    """Return what a group cost, for people: unknown where a call had no price, never 0."""
    if not spending.unpriced_calls:
        return money_text(spending.nano_usd)
    return f"{UNKNOWN}, at least {money_text(spending.nano_usd)}" if spending.nano_usd else UNKNOWN


def tokens_text(by: str, rows: Sequence[UsageRow], total: Spending, style: Style = PLAIN) -> str:
    """Return the table of `maestro tokens`."""
    head = (by, "runs", "calls", "input", "output", "cache", "tokens", "budget", "used", "saved")
    lines = [_tokens_line(row.name, str(row.runs), row.spending, row) for row in rows]
    lines.append(_tokens_line("total", "", total, None))
    return _text(head, lines, style)


def _tokens_line(name: str, runs: str, spending: Spending, row: UsageRow | None) -> tuple[str, ...]:
    usage = spending.usage
    limit = None if row is None else row.token_limit
    return (
        safe(name),
        runs,
        str(spending.calls),
        tokens(usage.input_tokens + spending.lost_tokens),
        tokens(usage.output_tokens),
        tokens(usage.cache_write_tokens + usage.cache_read_tokens),
        tokens(spending.tokens),
        tokens(limit) if limit is not None else "-",
        percent(row.token_share) if row is not None and row.token_share is not None else "-",
        tokens(spending.saved_tokens),
    )


def costs_text(by: str, rows: Sequence[UsageRow], total: Spending, style: Style = PLAIN) -> str:
    """Return the table of `maestro costs`."""
    head = (by, "runs", "calls", "tokens", "cost", "limit", "used", "reused", "saved")
    lines = [_costs_line(row.name, str(row.runs), row.spending, row) for row in rows]
    lines.append(_costs_line("total", "", total, None))
    return _text(head, lines, style)


def _costs_line(name: str, runs: str, spending: Spending, row: UsageRow | None) -> tuple[str, ...]:
    limit = None if row is None else row.cost_limit
    share = None if row is None else row.cost_share
    return (
        safe(name),
        runs,
        str(spending.calls),
        tokens(spending.tokens),
        cost(spending),
        money_text(limit) if limit is not None else "-",
        percent(share) if share is not None and not spending.unpriced_calls else "-",
        str(spending.hits),
        money_text(spending.saved_nano_usd),
    )


def _text(head: tuple[str, ...], lines: list[tuple[str, ...]], style: Style) -> str:
    first, *rest = table([head, *lines], indent=0, right=range(1, len(head)), width=200)
    return "\n".join([style("bold", first), *rest]) + "\n"


def json_document(by: str, rows: Sequence[UsageRow], total: Spending) -> dict[str, Any]:
    """Return the report as JSON; money as decimal text in dollars, null where it is unknown."""
    return {
        "format_version": FORMAT_VERSION,
        "by": by,
        "rows": [{by: row.name, **_figures(row.spending, row)} for row in rows],
        "total": _figures(total, None),
    }


def csv_text(by: str, rows: Sequence[UsageRow]) -> str:
    """Return the report as CSV with a head; an unknown cost is the word "unknown"."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow((by, *_COLUMNS))
    for row in rows:
        figures = _figures(row.spending, row)
        figures["usd"] = UNKNOWN if figures["usd"] is None else figures["usd"]
        writer.writerow((_inert(row.name), *("" if (x := figures[name]) is None else x for name in _COLUMNS)))
    return stream.getvalue()


def _inert(text: str) -> str:
    """Keep a spreadsheet from taking a name for a formula."""
    return f"'{text}" if text[:1] in {"=", "+", "-", "@"} else text


def _figures(spending: Spending, row: UsageRow | None) -> dict[str, Any]:
    usage = spending.usage
    unknown = spending.unpriced_calls > 0
    return {
        "runs": None if row is None else row.runs,
        "calls": spending.calls,
        "tokens": spending.tokens,
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cache_write_tokens": usage.cache_write_tokens,
        "cache_read_tokens": usage.cache_read_tokens,
        "lost_tokens": spending.lost_tokens,
        "token_limit": None if row is None else row.token_limit,
        "token_share": None if row is None or row.token_share is None else round(row.token_share, 4),
        "usd": None if unknown else usd(spending.nano_usd),
        "usd_at_least": usd(spending.nano_usd),
        "unpriced_calls": spending.unpriced_calls,
        "usd_limit": None if row is None else usd(row.cost_limit),
        "usd_share": (None if row is None or row.cost_share is None or unknown else round(row.cost_share, 4)),
        "cache_hits": spending.hits,
        "saved_tokens": spending.saved_tokens,
        "saved_usd": usd(spending.saved_nano_usd),
    }
