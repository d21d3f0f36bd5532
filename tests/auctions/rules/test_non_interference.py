"""Two runs that differ only in what a bidder may not see show that bidder the same."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from auctions.rules.core.commands import Admit, AnyBody, Bid, Tick
from auctions.rules.views.projection import project
from auctions.rules.views.visibility import ack_view, audience, bidder, personal, snapshot
from tests.auctions.rules.driver import Run
from tests.auctions.rules.recipients import WARRANTY

RIVALS = ("b", "c", "d")


class Transcript:
    """All that reaches one bidder: frames, the own part, acks and hints."""

    def __init__(self, rules: dict[str, Any]) -> None:
        self.run = Run(bidders="", **rules)
        self.key = ""
        self.shown: list[Any] = []

    def send(self, body: AnyBody, at: float | None = None) -> None:
        if at is not None:
            self.run.go(at)
        outcome = self.run.send(body)
        state = self.run.state
        key = audience(state, bidder("a"))
        if key != self.key:
            self.key = key
            self.shown.append(snapshot(state, bidder("a"), self.run.now_us))
        else:
            self.shown.append(project(state, self.run.commands[-1], outcome, key))
            self.shown.append(personal(state, "a", self.run.now_us))
        if getattr(body, "bidder", None) == "a":
            self.shown.append(ack_view(state, "a", outcome, self.run.now_us))
        self.shown.append([self.run.hint("a", rank) for rank in (1, 2, 3)])


def told(rules: dict[str, Any], script: list[AnyBody]) -> list[Any]:
    transcript = Transcript(rules)
    for alias in ("a", *RIVALS):
        transcript.send(Admit(bidder=alias))
    transcript.run.open()
    for body in script:
        transcript.send(body)
    transcript.send(Tick(), 601)
    return transcript.shown


OWN = st.integers(2_000, 9_000)
OTHER = st.integers(2_000, 9_000)
SCRIPT = st.lists(
    st.tuples(st.sampled_from("abcd"), st.one_of(OWN, OTHER)), min_size=1, max_size=14
)


def bids(script: list[tuple[str, int]], price_of) -> list[AnyBody]:
    bodies: list[AnyBody] = []
    for number, (alias, minor) in enumerate(script):
        shown = minor if alias == "a" else price_of(alias, minor)
        bodies.append(Bid(bidder=alias, price=f"{shown // 100}.{shown % 100:02d}", cid=str(number)))
    return bodies


STEP = {"step": {"value": "0.01"}, "ceiling": "100.00", "typo_guard_percent": "90"}


@settings(deadline=None, max_examples=60)
@given(script=SCRIPT, shift=st.integers(-1_500, 900))
def test_blind_bidders_are_told_the_same_whatever_the_others_bid(script, shift):
    rules = STEP | {"visibility": "blind", "overtime": {"window_s": 600, "extend_s": 1, "max": 1}}
    # The first bid of all, accepted in both runs, is a's own: overtime happens once and alike.
    script = [("a", 9_500), *script]
    plainly = told(rules, bids(script, lambda alias, minor: minor))
    shifted = told(rules, bids(script, lambda alias, minor: minor + shift))
    assert plainly == shifted


@settings(deadline=None, max_examples=60)
@given(script=SCRIPT)
def test_bidders_who_see_ranks_learn_the_order_only(script):
    """Rivals' prices move, but never past one of a's prices: every rank of a stays."""
    script = [(alias, minor // 10 * 10 + (0 if alias == "a" else 5)) for alias, minor in script]
    rules = STEP | {"visibility": "rank"}
    plainly = told(rules, bids(script, lambda alias, minor: minor))
    moved = told(rules, bids(script, lambda alias, minor: minor + 3))
    assert plainly == moved


@settings(deadline=None, max_examples=60)
@given(script=SCRIPT, shift=st.integers(0, 40))
def test_bidders_who_see_the_lead_learn_nothing_of_the_rest(script, shift):
    """b leads with 5.00 throughout; c and d may bid what they like above a's prices."""
    rules = STEP | {"visibility": "rank_and_lead"}
    opening = [("b", 500), ("a", 9_000)]
    script = [(a, m % 900 + (600 if a == "a" else 9_050)) for a, m in script if a != "b"]
    plainly = told(rules, bids(opening + script, lambda alias, minor: minor))
    shifted = told(
        rules, bids(opening + script, lambda alias, minor: minor + (shift if alias != "b" else 0))
    )
    assert plainly == shifted


@settings(deadline=None, max_examples=60)
@given(script=SCRIPT)
def test_bidders_who_see_all_bids_learn_no_coefficient(script):
    """Two worlds with equal evaluated prices, reached with different coefficients."""
    rules = STEP | {
        "visibility": "all",
        "scoring": {"kind": "meat", "features": [WARRANTY]},
        "ceiling": None,
    }

    def world(answer: str) -> list[AnyBody]:
        bodies: list[AnyBody] = []
        for alias, minor in script:
            # 20/17 more for five years is worth the same as without.
            price = minor * 17 if answer == "none" or alias == "a" else minor * 20
            given_answer = "none" if alias == "a" else answer
            text = f"{price // 100}.{price % 100:02d}"
            bodies.append(Bid(bidder=alias, price=text, attributes={"warranty": given_answer}))
        return bodies

    # The own step is taken off the price, so it must not bind: each rival bids once.
    seen: set[str] = set()
    script = [(a, m) for a, m in script if a == "a" or not (a in seen or seen.add(a))]
    assert told(rules, world("none")) == told(rules, world("5y"))
