"""Prices and clock of a Dutch auction, mirrored at its start so that it rises."""

from __future__ import annotations

from typing import Any

from auctions.rules.formats.dutch import DUTCH
from marketplace.kernel.money import format_minor
from tests.auctions.rules.driver import Run, terms_of
from tests.auctions.vector_files import cents
from tests.vectors.cases import Case

SECOND_US = 1_000_000


def check(case: Case) -> None:
    checks = {"next_price": _check_next_price, "accept": _check_accept, "clock": _check_clock}
    checks[case.whole["kind"]](case.whole)


def _check_next_price(whole: dict[str, Any]) -> None:
    rules = whole["rules"]
    far = format_minor(2 * cents(rules["start"]) + cents(rules["increment"]), 2)
    phase = terms_of(ceiling=None, **({"cap": far, "interval_s": 300} | rules)).phases[0]
    prices = [DUTCH.price_of(phase, step) for step in range(DUTCH.steps_count(phase))]
    now = prices.index(cents(whole["current"]))
    assert prices[now + 1] == cents(whole["expected_next"]), prices[now + 1]
    forward = whole.get("published_forward")
    if forward is not None:
        mirrored = 2 * cents(forward["start"]) - cents(forward["expected_next"])
        assert mirrored == cents(whole["expected_next"]), mirrored


def _check_accept(whole: dict[str, Any]) -> None:
    rules = whole["rules"]
    aliases = list(dict.fromkeys(command["bidder"] for command in whole["commands"]))
    run = Run(ceiling=None, bidders=aliases, **rules).go(whole["step"] * rules["interval_s"])
    assert run.text(run.state.stage.price) == whole["current"], run.state.stage.price
    if "published_forward_price" in whole:
        mirrored = 2 * cents(rules["start"]) - cents(whole["published_forward_price"])
        assert mirrored == run.state.stage.price, mirrored
    for command in whole["commands"]:
        outcome = run.accept(command["bidder"], command["step"])
        answer = "accepted" if outcome.accepted else "refused"
        assert answer == command["expected"], (command, outcome.code)
    assert run.state.status == "closed"
    assert run.standing == [(whole["expected_winner"], whole["expected_price"])], run.standing


def _check_clock(whole: dict[str, Any]) -> None:
    phase = terms_of(ceiling=None, **whole["rules"]).phases[0]
    assert DUTCH.steps_count(phase) == whole["prices"], DUTCH.steps_count(phase)
    assert DUTCH.planned_us(phase, 0) == whole["total_s"] * SECOND_US, DUTCH.planned_us(phase, 0)
    assert phase.interval_us == whole["expected_interval_s"] * SECOND_US, phase.interval_us
    for row in whole["expect"]:
        assert DUTCH.price_of(phase, row["step"]) == cents(row["price"]), row
        assert row["step"] * phase.interval_us == row["offset_s"] * SECOND_US, row
