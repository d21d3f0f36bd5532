"""What the tests of visibility share: audiences, and what the last command showed to each."""

from __future__ import annotations

from typing import Any

from auctions.rules.views.projection import project
from auctions.rules.views.visibility import Viewer, snapshot
from tests.auctions.rules.driver import Run

KEYS = ("buyer", "all", "lead", "public")
WARRANTY = {
    "id": "warranty",
    "max": "0.15",
    "options": [{"id": "none", "value": "0"}, {"id": "5y", "value": "0.15"}],
}


def frames(run: Run, key: str) -> list[dict[str, Any]]:
    """What the last command showed to an audience, without seq and ts."""
    shown = project(run.state, run.commands[-1], run.outcomes[-1], key)
    for frame in shown:
        assert frame.pop("seq") == run.commands[-1].seq
        assert frame.pop("ts").endswith("Z")
    return shown


def view(run: Run, viewer: Viewer) -> dict[str, Any]:
    return snapshot(run.state, viewer, run.now_us)
