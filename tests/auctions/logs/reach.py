"""Prints the lines that decide commands and that no log reaches, as a JSON list.

`python -m tests.auctions.logs.reach`, a process of its own: it traces, and so may whoever tests.
A format's hints, words, practice and simulation decide nothing.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from auctions.book.verify import verify
from tests.auctions.logs.make import FOLDER

RULES = Path(__file__).parents[3] / "auctions" / "rules"
DECISIONS = {"planned_us", "begin", "stage_over", "after_outage", "bid", "accept", "extend"}
DECISIONS |= {"enter_step", "steps_count"}
"""Methods of formats that decide."""

UNDECIDING = {"heartbeat_us", "judge_list", "highest_at", "coefficient_text", "read_exact"}
UNDECIDING |= {"dump", "load", "_unfolded", "read_amount", "_automatic_words", "Format", "Rules"}
"""Functions that decide nothing about a command: hints, texts, protocols."""

UNREACHED = {
    # Limits of 1,000 bidders, 100,000 bids, 8,192 cids and 64 bids kept: logs would be huge.
    'return refused(Code.TOO_MANY, f"At most {BIDDERS_MAX} bidders.", events)',
    'return refused(Code.TOO_MANY, f"At most {BIDS_PER_BIDDER_MAX} bids.", events)',
    "state.remembered_before = state.remembered",
    "state.remembered = {}",
    "del bids[0]",
    # A log that does not continue is none.
    'raise BrokenLog(f"command {seq} at {ts} does not follow {state.seq} at {state.ts}")',
    # Three limits that meet in one command, and limits with no room between them: see
    # tests/auctions/rules/test_automatic.py.
    "price = _lowest_above(state, rival, leader, target)",
    "if price is not None:",
    "leader, target = rival, price",
    "return None",
    # The border of a back buffer, for hints and refusals only.
    "return ceil(price_at(scale, lead)) - 1",
}


def traced() -> dict[str, set[int]]:
    """File -> the lines that run while all logs are folded."""
    reached: dict[str, set[int]] = {}

    def on_line(frame: FrameType, event: str, _: Any) -> Any:
        if event == "line":
            reached[frame.f_code.co_filename].add(frame.f_lineno)
        return on_line

    def on_call(frame: FrameType, event: str, _: Any) -> Any:
        name = frame.f_code.co_filename
        if not name.startswith(str(RULES)):
            return None
        reached.setdefault(name, set())
        return on_line

    logs = [path.read_bytes().splitlines(keepends=True) for path in FOLDER.glob("v*/*.jsonl")]
    sys.settrace(on_call)
    for lines in logs:
        verify(lines)
    sys.settrace(None)
    return reached


def deciding(code: CodeType, *, of_format: bool) -> Iterator[int]:
    """The lines inside functions that decide."""
    for inner in code.co_consts:
        if not isinstance(inner, CodeType) or inner.co_name in UNDECIDING:
            continue
        is_class = "__module__" in inner.co_names and "__qualname__" in inner.co_names
        is_method = "." in inner.co_qualname and "<locals>" not in inner.co_qualname
        if not is_class and not (of_format and is_method and inner.co_name not in DECISIONS):
            first = inner.co_firstlineno
            yield from (line for _, _, line in inner.co_lines() if line and line != first)
        yield from deciding(inner, of_format=of_format)


def main() -> None:
    reached = traced()
    missed = []
    files = [*RULES.glob("core/*.py"), *RULES.glob("formats/*.py"), RULES / "parts" / "clock.py"]
    for path in sorted(file for file in files if file.name != "__init__.py"):
        text = path.read_text()
        of_format = path.parent.name != "core"
        wanted = set(deciding(compile(text, str(path), "exec"), of_format=of_format))
        source = text.splitlines()
        for number in sorted(wanted - reached.get(str(path), set())):
            if source[number - 1].strip() not in UNREACHED:
                missed.append(f"{path.name}:{number} {source[number - 1].strip()}")
    sys.stdout.write(json.dumps(missed, indent=1))


if __name__ == "__main__":
    main()
