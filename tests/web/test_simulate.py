"""`marketplace simulate` on a transcript that was made without servers."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from tests.auctions.book.transcripts import Press, some_bodies
from web.cli import main


@pytest.fixture
def transcript(tmp_path: Path) -> Path:
    file = tmp_path / "transcript.jsonl"
    file.write_bytes(b"".join(Press().lines(some_bodies())))
    return file


def test_the_same_bids_under_other_rules_give_a_table_and_a_plot(
    transcript: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rules = tmp_path / "rules.json"
    step = {"against": "lead", "kind": "amount", "value": "5.00"}
    rules.write_text(json.dumps({"step": step, "visibility": "rank_and_lead"}))
    assert main(["simulate", str(transcript), "--rules", str(rules)]) == 0
    said = capsys.readouterr().out
    assert "Quiet Fox" in said
    assert "refused: not_below_lead" in said or "refused: step_too_small" in said
    assert "●" in said


def test_the_table_shows_what_decides_where_a_bonus_makes_a_difference(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bodies = some_bodies()
    offset_us, admission = bodies[0]
    bodies[0] = (offset_us, msgspec.structs.replace(admission, bonus_percent="10"))
    (tmp_path / "transcript.jsonl").write_bytes(b"".join(Press().lines(bodies)))
    (tmp_path / "rules.json").write_text("{}")
    files = [str(tmp_path / "transcript.jsonl"), "--rules", str(tmp_path / "rules.json")]
    assert main(["simulate", *files]) == 0
    said = capsys.readouterr().out
    assert "best evaluated price" in said
    assert "Best evaluated price over time" in said
    assert "(price " in said


def test_impossible_rules_are_named_in_one_line(
    transcript: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rules = tmp_path / "rules.json"
    rules.write_text(json.dumps({"format": "dutch", "start": "10.00", "increment": "x"}))
    assert main(["simulate", str(transcript), "--rules", str(rules)]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert "increment" in lines[0]


def test_a_changed_transcript_is_refused(
    transcript: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    transcript.write_bytes(transcript.read_bytes().replace(b'"98.00"', b'"97.00"'))
    assert main(["simulate", str(transcript), "--rules", str(tmp_path / "any.json")]) == 1
    assert "not in order" in capsys.readouterr().err
