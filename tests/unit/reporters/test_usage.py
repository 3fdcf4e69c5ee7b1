from __future__ import annotations

import json
import re

from maestro_dsl.engine.events import Usage
from maestro_dsl.engine.usage import Spending, UsageRow
from maestro_dsl.reporters.usage import costs_text, csv_text, json_document, tokens_text, usd

USED = Spending(calls=2, usage=Usage(input_tokens=1_000, output_tokens=500), nano_usd=12_345, saved_tokens=70)
UNKNOWN = Spending(calls=1, usage=Usage(input_tokens=10), unpriced_calls=1)
PARTLY = Spending(calls=2, usage=Usage(input_tokens=10), unpriced_calls=1, nano_usd=250_000_000)
ROWS = (
    UsageRow(
        name="back",
        runs=1,
        spending=USED,
        token_limit=3_000,
        token_share=0.5,
        cost_limit=10**9,
        cost_share=0.1,
    ),
    UsageRow(name="=cmd()", runs=1, spending=UNKNOWN, cost_limit=10**9, cost_share=0.0),
    UsageRow(name="qa", runs=2, spending=PARTLY),
)
TOTAL = USED.plus(UNKNOWN).plus(PARTLY)


def test_money_is_exact():
    assert usd(12_345) == "0.000012345"
    assert usd(0) == "0"
    assert usd(200_000_000_000) == "200"
    assert usd(None) is None


def test_tokens_as_a_table():
    assert tokens_text("persona", ROWS, TOTAL) == (
        "persona  runs  calls  input  output  cache  tokens  budget  used  saved\n"
        "back        1      2   1.0k     500      0    1.5k    3.0k   50%     70\n"
        "=cmd()      1      1     10       0      0      10       -     -      0\n"
        "qa          2      2     10       0      0      10       -     -      0\n"
        "total              5   1.0k     500      0    1.5k       -     -     70\n"
    )


def test_an_unknown_price_is_never_shown_as_nothing():
    lines = costs_text("persona", ROWS, TOTAL).splitlines()
    cells = [re.split(r"  +", line) for line in lines]
    assert cells[1] == ["back", "1", "2", "1.5k", "0.0001 USD", "1.00 USD", "10%", "0", "0.00 USD"]
    assert cells[2] == ["=cmd()", "1", "1", "10", "unknown", "1.00 USD", "-", "0", "0.00 USD"]
    assert "unknown, at least 0.25 USD" in lines[3]


def test_json_says_null_and_what_is_certain():
    rows = json.loads(json.dumps(json_document("persona", ROWS, TOTAL)))["rows"]
    assert [(row["persona"], row["usd"], row["usd_at_least"]) for row in rows] == [
        ("back", "0.000012345", "0.000012345"),
        ("=cmd()", None, "0"),
        ("qa", None, "0.25"),
    ]


def test_a_spreadsheet_takes_no_name_for_a_formula():
    lines = csv_text("persona", ROWS).splitlines()
    assert lines[0].startswith("persona,runs,calls,tokens,input_tokens")
    assert lines[1].startswith("back,1,2,1500,1000,500,0,0,0,3000,0.5,0.000012345,0,1,0.1")
    assert lines[2].startswith("'=cmd(),1,1,10,10,0,0,0,0,,,unknown,1,1,,")
