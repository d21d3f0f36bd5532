"""Each format from publication to proof: bots over the live channel, transcripts verified offline,
the same bids simulated under another format.
"""

from __future__ import annotations

import asyncio
from argparse import Namespace
from pathlib import Path
from random import Random
from typing import Any

import httpx
import msgspec
import pytest

from auctions.book.verify import verify
from auctions.live.client import AuctionClient
from auctions.live.rest_client import RestClient
from auctions.practice.strategy import Character, Offer, Take, answers_to, next_move
from tests.auctions.live.arena import Arena, exact_arena
from tests.people import NewPerson
from web.commands import simulate
from web.commands import verify as verify_command

PATIENCE_S = 60
STARTS_IN_S = 2
"""Everybody is there when it opens: a clock does not wait for who comes later."""

OPENINGS = (48_000_000, 47_000_000, 46_000_000)
FLOORS = (45_000_000, 43_000_000, 44_000_000)
STEP = {"against": "own", "kind": "amount", "value": "5000.00"}
WARRANTY = {
    "kind": "meat",
    "features": [
        {
            "id": "warranty",
            "title": "Warranty",
            "max": "0.15",
            "options": [{"id": "3y", "value": "0.10"}, {"id": "5y", "value": "0.15"}],
        }
    ],
}
SEALED = {"format": "sealed", "duration_s": 2}
ENGLISH = {
    "format": "english",
    "duration_s": 3,
    "step": STEP,
    "overtime": {"window_s": 2, "extend_s": 1, "trigger_rank": 3, "from": "close", "max": 2},
}
RULES: dict[str, dict[str, Any]] = {
    "english": ENGLISH | {"visibility": "rank_and_lead"},
    "rounds": {
        "format": "rounds", "rounds": 2, "turn_s": 1, "first_pause_s": 1, "pause_s": 1,
        "announce_s": 1, "step": STEP, "visibility": "all",
    },
    "sealed": SEALED | {"scoring": WARRANTY, "visibility": "rank"},
    "dutch": {
        "format": "dutch", "start": "420000.00", "increment": "10000.00", "interval_s": 2,
        "cap": "480000.00", "visibility": "rank",
    },
    "japanese": {
        "format": "japanese", "start": "460000.00", "decrement": "10000.00", "interval_s": 2,
        "visibility": "rank",
    },
    "phases": {
        "format": "phases", "phases": [SEALED, ENGLISH],
        "visibility": "rank_and_lead",
    },
}  # fmt: skip

WINNING_PRICE = {"dutch": "430000.00", "japanese": "430000.00"}
"""Where the floors leave no choice: the lowest one decides."""

RANKED = {"dutch": 1}
OTHER = {
    "english": {"format": "english", "duration_s": 60, "step": STEP},
    "sealed": {"format": "sealed", "duration_s": 60},
}


async def play(arena: Arena, key: str, character: Character, dice: Random) -> None:
    """One bot, awake at every frame, until the auction is over."""
    async with AuctionClient(arena.url, key, arena.auction_id) as client:
        while client.view["state"] != "closed":
            move = next_move(client.view, character, dice)
            if isinstance(move, Take):
                await client.accept(move.step)
            elif isinstance(move, Offer):
                ack = await client.bid(move.price, attributes=move.answers)
                assert ack.code not in {"malformed", "not_admitted", "out_of_range"}, ack
            if client.view["state"] != "closed":
                await client.changed()


async def download(arena: Arena, key: str, path: Path) -> list[bytes]:
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(base_url=arena.url, headers=headers) as http:
        answer = await http.get(f"{arena.path}/transcript")
    assert answer.status_code == 200, answer.text
    await asyncio.to_thread(path.write_bytes, answer.content)
    return answer.content.splitlines(keepends=True)


def lead_is_lowest(standing: list[dict[str, Any]]) -> bool:
    values = [float(row["evaluated"]) for row in standing]
    return values == sorted(values)


@pytest.mark.parametrize("name", RULES)
async def test_from_publication_to_proof(
    name: str,
    live_server: str,
    new_buyer: NewPerson,
    new_supplier: NewPerson,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    rules = RULES[name]
    arena = await exact_arena(live_server, new_buyer, new_supplier, rules, starts_in_s=STARTS_IN_S)
    dice = Random(name)
    async with asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as group:
        for key, opening, floor in zip(arena.keys, OPENINGS, FLOORS, strict=True):
            answers = answers_to(rules, opening, "EUR", dice)
            character = Character(opening, floor, answers, eagerness_percent=100)
            group.create_task(play(arena, key, character, dice))

    result = await RestClient(arena.url, arena.key).get(arena.path)
    standing = result["standing"]
    assert result["state"] == "closed"
    assert len(standing) == RANKED.get(name, 3)
    assert lead_is_lowest(standing)
    assert standing[0]["price"] == WINNING_PRICE.get(name, standing[0]["price"])

    keys = await RestClient(arena.url, arena.key).get("/.well-known/marketplace-keys.json")
    (tmp_path / "keys.json").write_bytes(msgspec.json.encode(keys))
    whole = verify(await download(arena, arena.key, tmp_path / "buyer.jsonl"), keys["keys"])
    assert [dict(row) for row in whole.standing] == [
        {field: row[field] for field in row if field not in ("organisation", "organisation_id")}
        for row in standing
    ]
    own = verify(await download(arena, arena.keys[0], tmp_path / "bidder.jsonl"), keys["keys"])
    assert (own.audience, own.commands) == (arena.aliases[0], whole.commands)
    assert 0 < own.shown < whole.shown

    other = OTHER["sealed" if name == "english" else "english"]
    (tmp_path / "other.json").write_bytes(msgspec.json.encode(other))
    for file in ("buyer.jsonl", "bidder.jsonl"):
        given = Namespace(file=tmp_path / file, keys=tmp_path / "keys.json")
        assert await asyncio.to_thread(verify_command.run, given) == 0
    asked = Namespace(file=tmp_path / "buyer.jsonl", rules=tmp_path / "other.json")
    assert await asyncio.to_thread(simulate.run, asked) == 0
    table = capsys.readouterr().out
    assert f"as it was ({name})" in table
    assert standing[0]["alias"] in table
    assert "nobody" not in table
