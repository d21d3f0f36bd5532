"""The page that checks receipts and transcripts: genuine ones hold, a changed byte is found."""

from __future__ import annotations

import re
from argparse import Namespace
from html import unescape
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import msgspec
import pytest

from marketplace.kernel.throttle import Rate
from tests.auctions.live.arena import Arena, peer
from tests.auctions.live.conftest import NewArena
from tests.people import Connect, NewPerson
from web.commands import verify as command
from web.console import CommandFailed
from web.pages import verify

FORM = {"Accept": "text/html"}


async def bids(place: Arena, *prices: str) -> list[dict[str, Any]]:
    """The receipts of the first supplier."""
    async with peer(place.live_url, place.keys[0]) as one:
        await one.open()
        return [(await one.bid(f"b{price}", price))["receipt"] for price in prices]


async def checked(client: httpx.AsyncClient, content: object) -> tuple[int, str]:
    """Status and verdict for a file of this content."""
    body = content if isinstance(content, bytes) else msgspec.json.encode(content)
    headers = FORM | {"Content-Type": "application/octet-stream"}
    answer = await client.post("/verify", content=body, headers=headers)
    return answer.status_code, verdict_of(answer.text)


def verdict_of(html: str) -> str:
    shown = html.partition('<div id="verdict">')[2].partition("<form")[0]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", shown)).split())


@pytest.fixture(autouse=True)
def many_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    """All tests ask from one address."""
    monkeypatch.setattr(verify, "CHECKS", Rate(per_s=1_000, burst=10_000))


@pytest.fixture
def stranger(connect_client: Connect) -> httpx.AsyncClient:
    return connect_client()


async def test_a_genuine_receipt_holds_for_anybody_in_every_form(
    arena: NewArena, stranger: httpx.AsyncClient
) -> None:
    place = await arena(1)
    receipt, other = await bids(place, "400000.00", "600000.00")
    assert other["outcome"] == "refused"
    assert "Check a receipt" in (await stranger.get("/verify", headers=FORM)).text
    for content in (receipt, {"receipt": receipt, "price": "1"}, msgspec.json.encode(receipt)):
        status, said = await checked(stranger, content)
        assert (status, "This receipt is genuine" in said) == (200, True), said
    status, said = await checked(stranger, [receipt, other])
    assert "All 2 receipts are genuine" in said
    assert "refused" in said
    page = await place.suppliers[0].client.get(f"{place.path}/receipts")
    assert "All 2 receipts are genuine" in (await checked(stranger, page.json()))[1]
    pasted = await stranger.post(
        "/verify", data={"text": msgspec.json.encode(receipt).decode()}, headers=FORM
    )
    assert "This receipt is genuine" in verdict_of(pasted.text)


async def test_a_changed_receipt_is_refused_and_its_bidder_sees_what_differs(
    arena: NewArena, stranger: httpx.AsyncClient
) -> None:
    place = await arena(2)
    [receipt] = await bids(place, "600000.00")
    for name, value in {
        "outcome": "accepted",
        "ts": "2026-01-01T00:00:00.000000Z",
        "cid": "another",
        "body_hash": "0" * 64,
        "chain": "0" * 64,
        "seq": receipt["seq"] + 1,
        "auction": str(uuid4()),
    }.items():
        status, said = await checked(stranger, receipt | {name: value})
        assert status == 200
        assert "This receipt does not hold" in said, name
        assert "something in it was changed after it was signed" in said, name
        assert "What differs" not in said
    forged = receipt | {"outcome": "accepted"}
    own = (await checked(place.suppliers[0].client, forged))[1]
    assert "What differs In this file In our log Outcome accepted refused" in own
    for person in (place.suppliers[1], place.buyer):
        theirs = (await checked(person.client, forged))[1]
        assert "does not hold" in theirs
        assert "In our log" not in theirs
    unknown = (await checked(stranger, receipt | {"key_id": "0" * 16}))[1]
    assert "no key of ours" in unknown
    two = (await checked(stranger, [receipt, forged]))[1]
    assert "1 of 2 receipts do not hold" in two


async def test_the_command_line_checks_a_receipt_too(
    arena: NewArena, stranger: httpx.AsyncClient, tmp_path: Path
) -> None:
    place = await arena(1)
    receipts = await bids(place, "400000.00", "399000.00")
    keys, file = tmp_path / "keys.json", tmp_path / "receipts.json"
    keys.write_bytes((await stranger.get("/.well-known/marketplace-keys.json")).content)
    file.write_bytes(msgspec.json.encode(receipts))
    assert command.run(Namespace(file=file, keys=keys)) == 0
    with pytest.raises(CommandFailed, match="--keys"):
        command.run(Namespace(file=file, keys=None))
    file.write_bytes(msgspec.json.encode([receipts[0], receipts[1] | {"cid": "x"}]))
    with pytest.raises(CommandFailed, match=r"NOT in order, no\. .* does not fit"):
        command.run(Namespace(file=file, keys=keys))


async def test_what_is_no_receipt_is_said_plainly(
    arena: NewArena, stranger: httpx.AsyncClient
) -> None:
    place = await arena(1)
    [receipt] = await bids(place, "400000.00")
    short = {name: value for name, value in receipt.items() if name != "chain"}
    for content, said in (
        (b"", "There is nothing to check yet"),
        (b"%PDF-1.7 \xff\x00", "neither a receipt nor a transcript"),
        (b"price;400000", "neither a receipt nor a transcript"),
        ({"price": "400000.00"}, "not a receipt as we sign them"),
        ([], "not a receipt as we sign them"),
        (short, "chain is missing"),
        (receipt | {"price": "1.00"}, "price is not part of a receipt"),
        (receipt | {"seq": "12"}, "not a receipt as we sign them"),
        (receipt | {"seq": 2**60}, "not a receipt as we sign them"),
        (b"[" * 5_000, "neither a receipt nor a transcript"),
    ):
        status, shown = await checked(stranger, content)
        assert (status, said in shown) == (422, True), (said, shown)


async def test_a_transcript_holds_and_its_first_wrong_line_is_named(
    arena: NewArena, stranger: httpx.AsyncClient
) -> None:
    place = await arena(2, visibility="rank")
    await bids(place, "400000.00", "399000.00")
    for person in (place.suppliers[0], place.buyer):
        content = (await person.client.get(f"{place.path}/transcript")).content
        said = (await checked(stranger, content))[1]
        assert "This transcript is genuine" in said, said
        pasted = await stranger.post("/verify", data={"text": content.decode()}, headers=FORM)
        assert "This transcript is genuine" in verdict_of(pasted.text)
    lines = content.splitlines(keepends=True)
    wrong = b"".join([*lines[:3], lines[3].replace(b'"chain":"', b'"chain":"0', 1), *lines[4:]])
    status, said = await checked(stranger, wrong)
    assert status == 422
    assert "Line 4 is the first that cannot be right" in said
    assert "is the first that cannot be right" in (await checked(stranger, content[:-30]))[1]
    assert "is the first that cannot be right" in (await checked(stranger, lines[0]))[1]
    # Signed by somebody else's key inside the file: consistent, but not ours.
    header = msgspec.json.decode(lines[0])
    header["keys"] = {"0" * 16: "AAAA"}
    foreign = msgspec.json.encode(header, order="sorted") + b"\n" + b"".join(lines[1:])
    assert "Line 1 is" in (await checked(stranger, foreign))[1]


async def test_the_auction_and_its_receipts_lead_to_the_page(
    arena: NewArena, new_supplier: NewPerson
) -> None:
    place = await arena(1)
    for person in (place.suppliers[0], place.buyer):
        room = await person.client.get(f"/auctions/{place.auction_id}", headers=FORM)
        assert 'href="/verify"' in room.text
    landing = await (await new_supplier()).client.get("/verify", headers=FORM)
    assert landing.status_code == 200
