"""Drives one auction through `apply`: the heart beats by itself, times count from the start."""

from __future__ import annotations

from typing import Any

from auctions.rules.core.apply import apply
from auctions.rules.core.commands import Accept, Admit, AnyBody, Auto, Bid, Command, Tick
from auctions.rules.core.outcomes import Outcome
from auctions.rules.core.parameters import Terms
from auctions.rules.core.state import State
from auctions.rules.terms.read import read_terms
from auctions.rules.versions import initial
from auctions.rules.views.limits import next_max_price, price_for_rank
from marketplace.kernel.money import format_minor, parse_minor

START = "2026-12-01T10:00:00Z"
HEARTBEAT_S = 2.0


def terms_of(ceiling: str | None = "1000.00", currency: str = "EUR", **rules: Any) -> Terms:
    """Terms with short defaults: 600 s, step 1.00 against the own bid, everything visible."""
    whole = {
        "format": "english",
        "starts_at": START,
        "step": {"value": "1.00"},
        "visibility": "all",
        "typo_guard_percent": None,
    } | rules
    if "phases" in whole:
        del whole["step"]
    elif whole["format"] in ("english", "sealed"):
        whole.setdefault("duration_s", 600)
    return read_terms(whole, auction="auction-1", currency=currency, ceiling=ceiling)


class Run:
    """One auction under test. `at` is always in seconds from the planned start."""

    def __init__(self, terms: Terms | None = None, bidders: str = "abc", **rules: Any) -> None:
        self.terms = terms or terms_of(**rules)
        self.state: State = initial(self.terms)
        self.commands: list[Command] = []
        self.outcomes: list[Outcome] = []
        self.now_us = self.terms.starts_at_us - 10_000_000
        self.beat_us = self.now_us
        self.send(Tick())
        for alias in bidders:
            assert self.send(Admit(bidder=alias)).accepted

    def send(self, body: AnyBody) -> Outcome:
        """The next command, one microsecond after the last thing that happened."""
        self.now_us += 1
        command = Command(len(self.commands) + 1, self.now_us, body)
        self.commands.append(command)
        self.state, outcome = apply(self.state, command)
        self.outcomes.append(outcome)
        return outcome

    def go(self, at: float) -> Run:
        """Time passes until `at` with a heartbeat every two seconds, and one at `at` itself."""
        target_us = self.us(at)
        while self.beat_us + HEARTBEAT_S * 1e6 < target_us:
            self.beat_us += int(HEARTBEAT_S * 1e6)
            self._tick_at(self.beat_us)
        self.beat_us = target_us
        self._tick_at(target_us)
        return self

    def silence(self, at: float) -> Run:
        """Time passes until `at` and nothing is heard."""
        self.now_us = self.us(at) - 1
        return self

    def wake(self, at: float) -> Outcome:
        """The first heartbeat after a silence."""
        self.beat_us = self.us(at)
        return self._tick_at(self.beat_us)

    def open(self) -> Run:
        return self.go(0)

    def us(self, at: float) -> int:
        return self.terms.starts_at_us + round(at * 1_000_000)

    def _tick_at(self, us: int) -> Outcome:
        self.now_us = max(self.now_us, us - 1)
        return self.send(Tick())

    def bid(self, alias: str, price: str | None, **fields: Any) -> Outcome:
        return self.send(Bid(bidder=alias, price=price, **fields))

    def bids(self, *pairs: tuple[str, str]) -> Run:
        """Bids that must all be accepted."""
        for alias, price in pairs:
            outcome = self.bid(alias, price)
            assert outcome.accepted, (alias, price, outcome)
        return self

    def accept(self, alias: str, step: int, **fields: Any) -> Outcome:
        return self.send(Accept(bidder=alias, step=step, **fields))

    def auto(self, alias: str, limit: str | None) -> Outcome:
        return self.send(Auto(bidder=alias, limit=limit))

    @property
    def standing(self) -> list[tuple[str, str]]:
        """(alias, price), best first."""
        return [
            (alias, self.text(self.state.bidders[alias].bids[-1].price))
            for _, _, alias in self.state.rows
        ]

    @property
    def close_s(self) -> float:
        return (self.state.close_at - self.terms.starts_at_us) / 1e6

    def text(self, minor: int) -> str:
        return format_minor(minor, self.terms.exponent)

    def minor(self, text: str) -> int:
        return parse_minor(text, self.terms.exponent)

    def max_price(self, alias: str) -> str | None:
        price = next_max_price(self.state, alias, self.now_us)
        return None if price is None else self.text(price)

    def hint(self, alias: str, rank: int) -> str | None:
        price = price_for_rank(self.state, alias, rank, self.now_us)
        return None if price is None else self.text(price)


def kinds(outcome: Outcome) -> list[str]:
    """The kinds of the events, in order."""
    return [str(event.__struct_config__.tag) for event in outcome.events]
