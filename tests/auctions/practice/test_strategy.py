"""A bot decides from what it is shown, and never beyond its floor."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from auctions.practice import rules
from auctions.practice.samples import CEILING, CURRENCY, SAMPLES
from auctions.practice.strategy import Character, Offer, Take, answers_to, next_move
from auctions.rules.core.apply import apply
from auctions.rules.core.commands import Accept, Admit, AnyBody, Bid, Command, Tick
from auctions.rules.core.parameters import Terms
from auctions.rules.core.state import State
from auctions.rules.terms.read import read_terms
from auctions.rules.versions import initial
from auctions.rules.views.visibility import bidder, snapshot

EAGER = Character(opening_minor=90_000, floor_minor=70_000, eagerness_percent=100)


def view(**changes: Any) -> dict[str, Any]:
    return {
        "state": "open",
        "terms": {"currency": "EUR"},
        "stage": {"name": "english"},
        "you": {"alias": "A"},
        "next": {"max_price": "1000.00"},
    } | changes


def move(character: Character = EAGER, **changes: Any) -> object:
    return next_move(view(**changes), character, Random(1))


@pytest.mark.parametrize("state", ["scheduled", "paused", "closed", "cancelled"])
def test_nothing_is_said_while_it_is_not_open(state: str) -> None:
    assert move(state=state) is None


def test_the_first_price_is_the_opening_or_what_is_allowed() -> None:
    assert move() == Offer("900.00", {})
    assert move(next={"max_price": "800.00"}) == Offer("800.00", {})
    assert move(next={"max_price": None}) == Offer("900.00", {})
    assert move(next={"max_price": "699.99"}) is None


def test_who_is_behind_goes_down_but_never_below_the_floor() -> None:
    behind = {"alias": "A", "best": "900.00", "rank": 2}
    found = [
        next_move(view(you=behind, next={"max_price": "700.00"}), EAGER, Random(seed))
        for seed in range(50)
    ]
    assert found == [Offer("700.00", {})] * 50
    assert move(you=behind, next={"max_price": "699.00"}) is None
    assert move(you=behind, next={"max_price": None}) is None


def test_who_leads_seldom_undercuts_itself() -> None:
    leading = view(you={"alias": "A", "best": "900.00", "rank": 1})
    moves = [next_move(leading, EAGER, Random(seed)) for seed in range(200)]
    assert 5 < sum(each is not None for each in moves) < 50


def test_a_bid_that_waits_to_be_published_is_left_alone() -> None:
    assert move(you={"alias": "A", "best": "900.00", "pending": True}) is None


def test_in_rounds_only_the_own_turn_and_the_first_pause() -> None:
    first, later = {"name": "pause", "round": 1}, {"name": "pause", "round": 2}
    turn = {"name": "turn", "round": 2, "turn": 1}
    assert isinstance(move(stage=first), Offer)
    assert move(stage=later) is None
    assert move(stage=turn) is None
    own = {"alias": "A", "best": "900.00", "rank": 3, "turn": True}
    assert isinstance(move(stage=turn, you=own), Offer)


def test_a_step_is_taken_as_long_as_it_is_not_below_the_floor() -> None:
    stage = {"name": "step", "step": 4, "price": "700.00"}
    assert move(stage=stage, next={"max_price": "700.00"}) == Take(4)
    assert move(stage=stage, next={"max_price": "699.99"}) is None
    assert move(stage=stage, next={"max_price": None}) is None
    assert move(stage=stage, you={"alias": "A", "pending": True}) is None
    assert move(stage=stage, you={"alias": "A", "dropped_at": 1}) is None


def test_every_criterion_and_cost_is_answered_but_not_the_rating() -> None:
    asked = {
        "scoring": {
            "features": [
                {"id": "warranty", "options": [{"id": "5y"}]},
                {"id": "rating", "source": "rating"},
            ],
            "costs": [{"id": "energy"}],
        }
    }
    answers = answers_to(asked, 100_000, "EUR", Random(1))
    assert answers["warranty"] == "5y"
    assert "rating" not in answers
    assert 10 <= float(answers["energy"]) <= 50


def sample(name: str) -> Terms:
    given = SAMPLES[name] | {"starts_at": "2027-01-15T08:00:00Z"}
    return read_terms(given, auction="a", currency=CURRENCY, ceiling=CEILING)


class Room:
    """Bots that play without any server, one look a second."""

    def __init__(self, terms: Terms) -> None:
        self.state: State = initial(terms)
        self.now_us = terms.starts_at_us - 2_000_000

    def say(self, body: AnyBody) -> bool:
        self.now_us += 1
        self.state, outcome = apply(self.state, Command(self.state.seq + 1, self.now_us, body))
        return outcome.accepted

    def look(self, aliases: list[str], dice: Random) -> None:
        self.say(Tick())
        for alias in aliases:
            seen = snapshot(self.state, bidder(alias), self.now_us)
            wanted = next_move(seen, rules.character(self.state.terms, alias), dice)
            if isinstance(wanted, Offer):
                said = Bid(bidder=alias, price=wanted.price, attributes=wanted.answers)
                assert self.say(said), (alias, wanted)
            elif isinstance(wanted, Take):
                self.say(Accept(bidder=alias, step=wanted.step))
        self.now_us += 1_000_000 - 10


@pytest.mark.parametrize("name", SAMPLES)
def test_bots_alone_bring_every_sample_to_a_sensible_winner(name: str) -> None:
    terms = rules.practice_terms(sample(name), "seed", 1_800_000_000_000_000)
    room, aliases = Room(terms), [f"Bot {n}" for n in range(rules.bots_count(terms))]
    for alias in aliases:
        room.say(Admit(bidder=alias))
    looks = 0
    while room.state.status != "closed":
        room.look(aliases, Random(looks))
        looks += 1
        assert looks < 600, "a practice takes minutes"
    assert len(room.state.rows) == (1 if name == "dutch" else len(aliases))
    best = room.state.rows[0][0]
    assert terms.ceiling_minor is not None
    assert terms.ceiling_minor * 0.3 < best <= terms.ceiling_minor
