"""Auctions and raw sockets for the tests of the live channel, made through the public API."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from auctions.live.view import fold
from tests.auctions.tenders.tendering import english, in_seconds, join, lot, published
from tests.people import NewPerson, Person

PROTOCOL = Subprotocol("marketplace.v1")
PATIENCE_S = 20.0

Frame = dict[str, Any]


class Arena(msgspec.Struct, kw_only=True):
    """A published auction. `keys` are API keys of the bidders in order, `key` that of the buyer."""

    url: str
    auction_id: str
    tender_id: str
    buyer: Person
    suppliers: list[Person]
    key: str
    keys: list[str]
    aliases: list[str]

    @property
    def live_url(self) -> str:
        return f"{self.url.replace('http', 'ws', 1)}/api/v1/auctions/{self.auction_id}/live"

    def at(self, url: str) -> str:
        """The live URL on another node."""
        return self.live_url.replace(self.url.removeprefix("http"), url.removeprefix("http"))

    @property
    def path(self) -> str:
        return f"/api/v1/auctions/{self.auction_id}"


async def new_arena(
    url: str, new_buyer: NewPerson, new_supplier: NewPerson, suppliers: int, **rules: Any
) -> Arena:
    """An english one that everybody has joined; it opens at once unless `rules` say otherwise."""
    given = english(starts_in_s=rules.pop("starts_in_s", 0.3)) | {"duration_s": 600} | rules
    return await exact_arena(url, new_buyer, new_supplier, given, suppliers=suppliers)


async def exact_arena(
    url: str,
    new_buyer: NewPerson,
    new_supplier: NewPerson,
    rules: dict[str, Any],
    *,
    suppliers: int = 3,
    starts_in_s: float = 0.3,
) -> Arena:
    """Published, with bidders that take part, about to open."""
    buyer = await new_buyer()
    people = [await new_supplier() for _ in range(suppliers)]
    given = {"starts_at": in_seconds(starts_in_s), **rules}
    tender = await published(buyer, *people, lots=[lot(rules=given)])
    auction_id = tender["lots"][0]["auction_id"]
    joined = [await join(person, tender["id"]) for person in people]
    return Arena(
        url=url,
        auction_id=auction_id,
        tender_id=tender["id"],
        buyer=buyer,
        suppliers=people,
        key=await buyer.api_key(),
        keys=[await person.api_key() for person in people],
        aliases=[each["aliases"][auction_id] for each in joined],
    )


class Peer:
    """A raw socket that keeps every frame, and the view folded from them."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.frames: list[Frame] = []
        self.heard_at: list[float] = []
        self.view: Frame = {}
        self._unread = 0

    async def say(self, type_: str, **fields: Any) -> None:
        # One that the server is closing tells its code to `closed`.
        with contextlib.suppress(ConnectionClosed):
            await self.socket.send(msgspec.json.encode({"type": type_, **fields}).decode())

    async def hear(self) -> Frame:
        """The next frame."""
        frame: Frame = msgspec.json.decode(await self.socket.recv())
        self.frames.append(frame)
        self.heard_at.append(asyncio.get_running_loop().time())
        if frame["type"] in {"snapshot", "event", "state"}:
            self.view = fold(self.view, frame)
        return frame

    async def until(self, wanted: Callable[[Frame], Any]) -> Frame:
        """The first frame from now on that is `wanted`."""
        async with asyncio.timeout(PATIENCE_S):
            while not wanted(frame := await self.hear()):
                pass
        return frame

    async def type(self, type_: str) -> Frame:
        return await self.until(lambda frame: frame["type"] == type_)

    async def kind(self, kind: str) -> Frame:
        return await self.until(lambda frame: frame.get("kind") == kind)

    async def view_is(self, wanted: Callable[[Frame], Any]) -> Frame:
        async with asyncio.timeout(PATIENCE_S):
            while not wanted(self.view):
                await self.hear()
        return self.view

    async def open(self) -> None:
        """Until the auction is open."""
        await self.view_is(lambda view: view.get("state") == "open")

    async def bid(self, cid: str, price: str, **fields: Any) -> Frame:
        """The ack, or the error that names the cid."""
        await self.say("bid", cid=cid, price=price, **fields)
        return await self.until(lambda frame: frame.get("cid") == cid)

    async def closed(self) -> int:
        """The close code, once the server closes; frames before it are kept."""
        with contextlib.suppress(ConnectionClosed):
            async with asyncio.timeout(PATIENCE_S):
                while True:
                    await self.hear()
        assert self.socket.close_code is not None, "closed without a word"
        return self.socket.close_code


@contextlib.asynccontextmanager
async def peer(
    url: str, key: str | None = None, *, hello: Frame | None = None, **headers: str
) -> AsyncIterator[Peer]:
    """An open socket that has said hello (`hello={}`: not yet)."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    if key is not None:
        sent["Authorization"] = f"Bearer {key}"
    async with connect(
        url,
        additional_headers=sent,
        subprotocols=[PROTOCOL],
        compression=None,
        proxy=None,
        max_size=2**24,
        origin=None,
    ) as socket:
        one = Peer(socket)
        if hello is None:
            await one.say("hello")
        elif hello:
            await one.say("hello", **hello)
        yield one


def without_place(view: Frame) -> Frame:
    """What two viewers must agree on, whenever they came."""
    return {key: value for key, value in view.items() if key not in {"seq", "now", "epoch"}}


def micros(text: str) -> int:
    return round(datetime.fromisoformat(text).astimezone(UTC).timestamp() * 1e6)
