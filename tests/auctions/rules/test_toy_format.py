"""A new format is one class and one line of the registry: everything else follows from them."""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec
import pytest

from auctions.practice.rules import bots_count, practice_terms
from auctions.rules.core.commands import Bid, Command
from auctions.rules.core.entry import examine
from auctions.rules.core.outcomes import AnyEvent, Code, Outcome
from auctions.rules.core.parameters import Phase, Terms
from auctions.rules.core.placing import place
from auctions.rules.core.stages import shift
from auctions.rules.core.standing import rank_of
from auctions.rules.core.state import State, dump
from auctions.rules.formats import FORMATS
from auctions.rules.parts.fields import Section
from auctions.rules.parts.format import Format
from auctions.rules.parts.words import Paragraph, Texts, duration, seconds
from auctions.rules.simulate import replay_under
from auctions.rules.terms.read import read_terms
from auctions.rules.terms.show import rules_of
from auctions.rules.versions import load, publishes_at_once
from auctions.rules.views.plain import explain, gists
from auctions.rules.views.visibility import BUYER, snapshot
from marketplace.kernel.errors import Invalid
from tests.auctions.rules.driver import Run, terms_of


class Candle(Format):
    """A candle burns for a while; every bid puts a new one up. It is the last bid that wins."""

    name = "candle"
    counts_steps = True
    publishes_at_once = True
    bots = 2

    def bid(self, state: State, command: Command, body: Bid, events: list[AnyEvent]) -> Outcome:
        ready = examine(state, body, events)
        if isinstance(ready, Outcome):
            return ready
        place(state, command.seq, body.bidder, ready, events)
        shift(state, command.ts + _candle_us(state.now) - state.stage.ends_at)
        return Outcome(accepted=True, rank=rank_of(state, body.bidder), events=events)

    def read(self, section: Section, exponent: int, ceiling: int | None) -> dict[str, Any]:
        candle_us = section.seconds("candle_s", 1, 3_600, 60)
        return {"duration_us": candle_us, "own": {"candle_us": candle_us}}

    def show(self, phase: Phase, exponent: int) -> dict[str, Any]:
        return {"candle_s": seconds(_candle_us(phase)), "step": {"value": "1.00"}}

    def gist(self, texts: Texts) -> str:
        return texts.gettext("Candle: a bid lights a new one")

    def explain(self, terms: Terms, phase: Phase, texts: Texts) -> list[Paragraph]:
        text = texts.gettext("A candle burns for %(time)s.") % {
            "time": duration(_candle_us(phase), texts)
        }
        return [Paragraph(texts.gettext("Candle"), text, "")]

    sample: ClassVar[dict[str, Any] | None] = {"format": name, "candle_s": 20}

    def shortened(self, phase: Phase) -> Phase:
        return msgspec.structs.replace(phase, duration_us=5_000_000, own={"candle_us": 5_000_000})


def _candle_us(phase: Phase) -> int:
    assert isinstance(phase.own, dict)
    candle_us: int = phase.own["candle_us"]
    return candle_us


@pytest.fixture(autouse=True)
def registered(monkeypatch):
    """The one line."""
    monkeypatch.setitem(FORMATS, Candle.name, Candle())


def test_its_rules_are_read_checked_and_shown():
    terms = terms_of(format="candle", candle_s=30)
    assert terms.phases[0].own == {"candle_us": 30_000_000}
    shown = rules_of(terms)
    assert shown["candle_s"] == 30
    assert read_terms(shown, auction="auction-1", currency="EUR", ceiling="1000.00") == terms
    with pytest.raises(Invalid) as caught:
        terms_of(format="candle", candle_s=0, wick="long")
    assert {error.field for error in caught.value.errors} == {"candle_s", "wick"}


def test_its_bids_are_decided_hinted_and_survive_a_snapshot():
    run = Run(format="candle", candle_s=30).open().bids(("a", "900.00"))
    run.go(20)
    assert run.bid("a", "899.50").code is Code.STEP_TOO_SMALL
    assert run.max_price("a") == "899.00"
    assert run.bid("b", "890.00").rank == 1
    assert run.close_s == pytest.approx(50, abs=0.001)
    assert dump(load(dump(run.state))) == dump(run.state)
    run.go(51)
    assert run.state.status == "closed"
    assert snapshot(run.state, BUYER, run.now_us)["standing"][0]["alias"] == "b"


def test_it_explains_itself_in_the_language_of_the_reader():
    terms = terms_of(format="candle", candle_s=30)
    assert "A candle burns for 30 seconds." in [p.text for p in explain(terms)]

    class Backwards(Texts):
        def gettext(self, message: str) -> str:
            return f"¿{message}"

    assert "¿A candle burns for 30 seconds." in [p.text for p in explain(terms, Backwards())]
    assert gists()["candle"] == "Candle: a bid lights a new one"


def test_it_is_practised_simulated_and_a_phase_of_a_hybrid():
    terms = terms_of(format="candle", candle_s=30)
    assert practice_terms(terms, "practice", 0).phases[0].duration_us == 5_000_000
    assert bots_count(terms) == 2
    assert publishes_at_once(terms)
    run = Run().open().bids(("a", "900.00"), ("b", "880.00")).go(601)
    after = replay_under(run.commands, run.terms, terms).after
    assert (after.format, after.winner) == ("candle", "b")
    hybrid = [{"format": "candle", "candle_s": 5}, {"format": "candle", "candle_s": 9}]
    run = Run(format="phases", phases=hybrid).open().bids(("a", "900.00")).go(6)
    assert run.state.phase == 1
    assert run.bid("b", "850.00").accepted
    run.go(20)
    assert run.standing[0] == ("b", "850.00")


def test_an_auction_of_a_format_that_is_gone_is_refused_loudly(monkeypatch):
    terms = terms_of(format="candle", candle_s=30)
    monkeypatch.delitem(FORMATS, Candle.name)
    with pytest.raises(AssertionError, match="no format 'candle'"):
        Run(terms)
