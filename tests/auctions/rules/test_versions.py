"""What a bid means is pinned by version: old logs fold to the same chain in every later commit."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from auctions.book.transcript import Header, Line, decode
from auctions.book.verify import WrongLine, verify
from auctions.rules.core import (
    bidding,
    commands,
    controls,
    entry,
    guard,
    outcomes,
    overtime,
    stages,
)
from auctions.rules.core.commands import Command
from auctions.rules.core.parameters import RULES_VERSION, Terms
from auctions.rules.core.state import State, dump
from auctions.rules.formats import FORMATS, rounds
from auctions.rules.formats.english import English
from auctions.rules.versions import VERSIONS, apply_of, initial, load
from tests.auctions.logs.make import FOLDER, SUMS, make, sums
from tests.auctions.logs.scenarios import SCENARIOS
from tests.auctions.rules.driver import Run, terms_of

LOGS = sorted(FOLDER.glob("v*/*.jsonl"))
FOLDERS = sorted(FOLDER.glob("v*"))


def lines(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True)


def folded(path: Path) -> Iterator[tuple[State, bytes, msgspec.Raw]]:
    """State, decided outcome and the outcome of the log, command by command."""
    header, *rest = (decode(line) for line in lines(path))
    assert isinstance(header, Header)
    state = initial(msgspec.json.decode(bytes(header.terms), type=Terms))
    apply = apply_of(state.terms)
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


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_the_logs_are_those_that_were_made(folder):
    found = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("*.jsonl")
    }
    assert found == sums(int(folder.name.removeprefix("v"))), f"made once: restore {folder / SUMS}"


def test_every_version_has_its_logs():
    """`python -m tests.auctions.logs.make` writes those of a new version or scenario."""
    assert {f"v{number}" for number in VERSIONS} == {folder.name for folder in FOLDERS}
    assert max(VERSIONS) == RULES_VERSION
    newest = FOLDER / f"v{RULES_VERSION}"
    assert {path.stem for path in newest.glob("*.jsonl")} == set(SCENARIOS)


def test_the_maker_writes_the_same_bytes_again():
    name = "sealed_mixed"
    assert make(SCENARIOS[name], 1) == (FOLDER / "v1" / f"{name}.jsonl").read_bytes()


@pytest.mark.parametrize("name", ["english_mixed", "dutch_rounds_last_word", "japanese"])
def test_a_snapshot_in_the_middle_leads_to_the_same_decisions(name):
    path = FOLDER / "v1" / f"{name}.jsonl"
    states = [dump(state) for state, _, _ in folded(path)]
    for index in range(0, len(states), 20):
        state = load(states[index])
        apply = apply_of(state.terms)
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


class Patient(English):
    """Version 2 of overtime in this test: each extension is ten seconds longer."""

    @staticmethod
    def extend(state, ts, moved, events):
        extensions = state.extensions
        overtime.extend(state, ts, moved, events)
        if state.extensions > extensions:
            stages.shift(state, 10_000_000)


@pytest.fixture
def second_version(monkeypatch):
    formats = FORMATS | {English.name: Patient()}
    monkeypatch.setitem(VERSIONS, 2, VERSIONS[1]._replace(formats=formats))


LATE = {"overtime": {"window_s": 60, "extend_s": 20}, "duration_s": 600}


def close_after_a_late_bid(rules_version: int) -> float:
    terms = msgspec.structs.replace(terms_of(**LATE), rules_version=rules_version)
    run = Run(terms).open().go(590).bids(("a", "900.00"))
    assert dump(load(dump(run.state))) == dump(run.state)
    assert load(dump(run.state)).format is run.state.format
    return run.close_s


@pytest.mark.usefixtures("second_version")
def test_a_second_version_decides_new_auctions_and_no_old_ones():
    assert close_after_a_late_bid(1) == 620
    assert close_after_a_late_bid(2) == 630
    for path in LOGS:
        verify(lines(path))


@pytest.mark.usefixtures("second_version")
def test_a_log_folds_by_the_version_it_pins_and_no_other(monkeypatch):
    second = make(SCENARIOS["english"], 2).splitlines(keepends=True)
    verify(second)
    monkeypatch.setitem(VERSIONS, 2, VERSIONS[1])
    with pytest.raises(WrongLine, match="decide this command differently"):
        verify(second)


def test_every_line_that_decides_is_reached_by_a_log():
    """New rules need a log: add a scenario and run `python -m tests.auctions.logs.make`."""
    found = subprocess.run(
        [sys.executable, "-m", "tests.auctions.logs.reach"], capture_output=True, check=True
    )
    assert json.loads(found.stdout) == []
