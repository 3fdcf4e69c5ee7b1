"""Reserve, settle, release: no call starts unless its upper bound fits every limit it falls under.

Accounts are named freely ("run", "persona:qa", "node:build[api]"); tokens and nano-dollars are kept side by
side. Since what is spent and what is reserved together never pass a limit, parallel calls cannot overspend.
No clock and no I/O: the numbers come back from the journal on resume.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from maestro_dsl.errors import IntegrityError

if TYPE_CHECKING:
    from collections.abc import Iterable

DEFAULT_MAX_OUTPUT_TOKENS: Final = 16_000
"""Where neither persona nor model says how long an answer may be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """Tokens and nano-dollars."""

    tokens: int = 0
    nano_usd: int = 0


NOTHING: Final = Amount()


@dataclass(slots=True, kw_only=True)
class Account:
    """One limit with what is spent and what is reserved under it; None = no limit."""

    name: str
    max_tokens: int | None = None
    max_nano_usd: int | None = None
    spent_tokens: int = 0
    spent_nano_usd: int = 0
    reserved_tokens: int = 0
    reserved_nano_usd: int = 0

    def lacks(self, amount: Amount, *, reserved: bool) -> str | None:
        """Return what `amount` would pass ("tokens" or "cost"), or None where it fits."""
        tokens = self.spent_tokens + amount.tokens + (self.reserved_tokens if reserved else 0)
        nano_usd = self.spent_nano_usd + amount.nano_usd + (self.reserved_nano_usd if reserved else 0)
        if self.max_tokens is not None and amount.tokens and tokens > self.max_tokens:
            return "tokens"
        if self.max_nano_usd is not None and amount.nano_usd and nano_usd > self.max_nano_usd:
            return "cost"
        return None

    @property
    def used_share(self) -> float:
        """Return the larger share of a limit that is spent, 0 where there is no limit."""
        pairs = ((self.spent_tokens, self.max_tokens), (self.spent_nano_usd, self.max_nano_usd))
        return max((spent / limit for spent, limit in pairs if limit), default=0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """A granted reservation; settle it exactly once."""

    number: int
    accounts: tuple[str, ...]
    amount: Amount


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """The limit that stands in the way; `wait` = it may fit once a call in flight has settled."""

    account: str
    kind: str
    wait: bool
    amount: Amount = NOTHING
    """What was asked for."""


class Ledger:
    """All accounts of a run."""

    def __init__(self) -> None:
        self.accounts: dict[str, Account] = {}
        self._open: dict[int, Lease] = {}
        self._next = 1

    def account(
        self, name: str, *, max_tokens: int | None = None, max_nano_usd: int | None = None
    ) -> Account:
        """Return the account called `name`, opened with these limits on first use."""
        found = self.accounts.get(name)
        if found is None:
            found = Account(name=name, max_tokens=max_tokens, max_nano_usd=max_nano_usd)
            self.accounts[name] = found
        return found

    def charge(self, accounts: Iterable[str], amount: Amount) -> None:
        """Book what was spent before this ledger was built."""
        for account in self._named(accounts):
            account.spent_tokens += amount.tokens
            account.spent_nano_usd += amount.nano_usd

    def reserve(self, accounts: Iterable[str], amount: Amount) -> Lease | Refusal:
        """Return a lease of `amount` in every account, or the first limit that it would pass."""
        named = self._named(accounts)
        for account in named:  # hopeless before crowded, so that nobody waits for what cannot come
            kind = account.lacks(amount, reserved=False)
            if kind is not None:
                return Refusal(account=account.name, kind=kind, wait=False, amount=amount)
        for account in named:
            kind = account.lacks(amount, reserved=True)
            if kind is not None:
                return Refusal(account=account.name, kind=kind, wait=True, amount=amount)
        for account in named:
            account.reserved_tokens += amount.tokens
            account.reserved_nano_usd += amount.nano_usd
        lease = Lease(number=self._next, accounts=tuple(item.name for item in named), amount=amount)
        self._next += 1
        self._open[lease.number] = lease
        return lease

    def settle(self, lease: Lease, actual: Amount | None) -> Amount:
        """Turn a lease into what was spent and return that; None = unknown, charged in full.

        Raises:
            IntegrityError: the lease was settled before.
        """
        if self._open.pop(lease.number, None) is None:
            raise IntegrityError(f"lease {lease.number} was settled twice")
        charged = lease.amount if actual is None else actual
        for account in self._named(lease.accounts):
            account.reserved_tokens -= lease.amount.tokens
            account.reserved_nano_usd -= lease.amount.nano_usd
            account.spent_tokens += charged.tokens
            account.spent_nano_usd += charged.nano_usd
        return charged

    def release(self, lease: Lease) -> None:
        """Give a lease back unused.

        Raises:
            IntegrityError: the lease was settled before.
        """
        self.settle(lease, NOTHING)

    @property
    def open_leases(self) -> int:
        """How many calls are in flight."""
        return len(self._open)

    def _named(self, names: Iterable[str]) -> list[Account]:
        return [self.account(name) for name in names]
