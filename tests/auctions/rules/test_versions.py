"""What a bid means is pinned by version: old logs fold to the same chain in every later commit."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from auctions.book.transcript import Header, Line, decode
from auctions.book.verify import WrongLine, verify
from auctions.rules.core import bidding, commands, controls, entry, guard, outcomes, overtime
from auctions.rules.core.apply import apply
from auctions.rules.core.commands import Command
from auctions.rules.core.parameters import Terms
from auctions.rules.core.state import State, dump
from auctions.rules.formats import rounds
from auctions.rules.versions import initial, load
from tests.auctions.logs.make import FOLDER, SUMS, make, sums
from tests.auctions.logs.scenarios import SCENARIOS

LOGS = sorted(FOLDER.glob("v*/*.jsonl"))
VERSIONS = sorted(FOLDER.glob("v*"))


def lines(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True)


def folded(path: Path) -> Iterator[tuple[State, bytes, msgspec.Raw]]:
    """State, decided outcome and the outcome of the log, command by command."""
    header, *rest = (decode(line) for line in lines(path))
    assert isinstance(header, Header)
    state = initial(msgspec.json.decode(bytes(header.terms), type=Terms))
    for line in rest:
        if isinstance(line, Line):
            assert line.ts is not None
            assert isinstance(line.body, msgspec.Raw)
            assert isinstance(line.outcome, msgspec.Raw)
            body = bytes(line.body)
            command = Command(line.seq, line.ts, commands.decode(body), body)
            state, outcome = apply(state, command)
            yield state, outcomes.encode(outcome), line.outcome


@pytest.mark.parametrize("path", LOGS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_log_folds_to_the_chain_it_was_made_with(path):
    verdict = verify(lines(path))
    assert verdict.shown == verdict.commands > 50


@pytest.mark.parametrize("folder", VERSIONS, ids=lambda folder: folder.name)
def test_the_logs_are_those_that_were_made(folder):
    found = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("*.jsonl")
    }
    assert found == sums(int(folder.name.removeprefix("v"))), f"made once: restore {folder / SUMS}"


def test_every_scenario_has_its_log():
    assert {path.stem for path in LOGS} == set(SCENARIOS)


def test_the_maker_writes_the_same_bytes_again():
    name = "sealed_mixed"
    assert make(SCENARIOS[name]) == (FOLDER / "v1" / f"{name}.jsonl").read_bytes()


@pytest.mark.parametrize("name", ["english_mixed", "dutch_rounds_last_word", "japanese"])
def test_a_snapshot_in_the_middle_leads_to_the_same_decisions(name):
    path = FOLDER / "v1" / f"{name}.jsonl"
    states = [dump(state) for state, _, _ in folded(path)]
    for index in range(0, len(states), 20):
        state = load(states[index])
        for line in lines(path):
            parsed = decode(line)
            if isinstance(parsed, Line) and parsed.seq > state.seq:
                body = bytes(parsed.body)
                command = Command(parsed.seq, parsed.ts, commands.decode(body), body)
                state, outcome = apply(state, command)
                assert msgspec.Raw(outcomes.encode(outcome)) == parsed.outcome
        assert dump(state) == states[-1]


def _one_less(function):
    return lambda *args: function(*args) - 1


MEANINGS = {
    "the price that a step leaves open": (bidding, "border", _one_less),
    "what looks like a slip": (entry, "doubt", lambda _: lambda *args: None),
    "the token of a confirmation": (guard, "TOKEN_CHARS", lambda chars: chars - 1),
    "who speaks when": (rounds, "turn_order", lambda order: lambda state: order(state)[::-1]),
    "by how much overtime moves": (overtime, "shift", lambda _: lambda state, us: None),
    "the lowest rating": (controls, "below_minimum", lambda _: lambda state, rating: False),
}


@pytest.mark.parametrize("meaning", MEANINGS)
def test_a_meaning_that_changes_within_a_version_breaks_a_log(monkeypatch, meaning):
    module, name, change = MEANINGS[meaning]
    monkeypatch.setattr(module, name, change(getattr(module, name)))

    with pytest.raises(WrongLine, match="decide this command differently"):  # noqa: PT012
        for path in LOGS:
            verify(lines(path))
