"""The live channel from the outside: what an integrator uses to bid.

    async with AuctionClient("https://market.example", "prefix.secret", auction_id) as client:
        ack = await client.bid("1180.00")

The connection heals by itself. A bid is sent again under its own `cid` until it is answered, so it
counts once however often the network breaks. All this needs is `websockets` and `msgspec`.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
from websockets.typing import Subprotocol

from auctions.live.view import ServerClock, fold, micros

SUBPROTOCOL = Subprotocol("marketplace.v1")
BACKOFF_S = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
OPEN_TIMEOUT_S = 10.0
PING_EVERY_S = 5.0
SILENCE_S_MAX = 15.0
EVENTS_MAX = 10_000
SNAPSHOT_BYTES_MAX = 16 * 2**20

FINAL = {
    4401: "not authenticated",
    4403: "not admitted to this auction",
    4404: "no such auction here",
}
"""Close codes after which trying again is pointless."""

_OF_EVENT = ("seq", "stage", "you", "next", "standing", "close_at")
_OF_STATE = ("state", "close_at", "reason")
_AGAIN = frozenset(["retry", "too_fast"])


class Refused(Exception):
    """The server will not talk to us: `close_code` is one of FINAL."""

    def __init__(self, close_code: int) -> None:
        super().__init__(f"{close_code}: {FINAL.get(close_code, 'closed')}")
        self.close_code = close_code


class FrameRefused(Exception):
    """The server could not read or allow a frame; nothing was put into the auction."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code, self.detail = code, detail


class Ack(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a bid. Money is decimal text; `receipt` is the signed proof, keep it.

    `next["max_price"]` is the highest price that would be accepted now; `token` confirms a price
    that was refused with the code `confirm_required`.
    """

    cid: str
    seq: int
    ts: str
    outcome: str
    code: str | None = None
    detail: str | None = None
    token: str | None = None
    rank: int | None = None
    evaluated: str | None = None
    next: dict[str, Any] | None = None
    receipt: dict[str, Any]

    @property
    def accepted(self) -> bool:
        return self.outcome == "accepted"


class _Pending(msgspec.Struct):
    frame: dict[str, Any]
    answer: asyncio.Future[Any]
    tries: int = 0


class AuctionClient:
    """One bidder or watcher in one auction.

    `view` is the newest state, shaped like the `snapshot` frame. Raises Refused from any call once
    the server has closed for good.
    """

    def __init__(self, base_url: str, api_key: str, auction_id: str | uuid.UUID) -> None:
        parts = urlsplit(base_url)
        scheme = {"http": "ws", "https": "wss"}[parts.scheme]
        path = f"{parts.path.rstrip('/')}/api/v1/auctions/{auction_id}/live"
        self._url = urlunsplit((scheme, parts.netloc, path, "", ""))
        self._headers = {"Authorization": f"Bearer {api_key}"}
        self.auction_id = str(auction_id)
        self.view: dict[str, Any] = {}
        self.clock = ServerClock()
        self.connections_count = 0
        self._last_seq: int | None = None
        self._epoch: int | None = None
        self._pending: dict[str, _Pending] = {}
        self._hints: dict[str, _Pending] = {}
        self._watching: list[asyncio.Queue[dict[str, Any] | None]] = []
        self._socket: ClientConnection | None = None
        self._ready = asyncio.Event()
        self._changed = asyncio.Event()
        self._failure: Refused | None = None
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> AuctionClient:
        """Returns with the first snapshot. Raises Refused."""
        self._task = asyncio.create_task(self._run())
        await self._ready.wait()
        if self._failure is not None:
            raise self._failure
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task is not None, "entered before it is left"
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        self._give_up(None)

    # -- what can be asked ----------------------------------------------------------------------

    async def bid(
        self,
        price: str | None,
        *,
        attributes: Mapping[str, str] | None = None,
        lines: Mapping[str, str] | None = None,
        confirm: str | None = None,
        cid: str | None = None,
    ) -> Ack:
        """Bid a decimal price; returns when it is decided, whatever happens to the connection.

        Raises FrameRefused when the server cannot take such a frame from us at all, Refused.
        """
        frame: dict[str, Any] = {"type": "bid", "price": price}
        if attributes:
            frame["attributes"] = dict(attributes)
        if lines:
            frame["lines"] = dict(lines)
        if confirm is not None:
            frame["confirm"] = confirm
        return await self._order(frame, cid)

    async def accept(self, step: int, *, cid: str | None = None) -> Ack:
        """Take the price of this step, or stay in at it."""
        return await self._order({"type": "accept", "step": step}, cid)

    async def auto(self, limit: str | None, *, cid: str | None = None) -> Ack:
        """Have the server bid down to `limit`; None ends that."""
        return await self._order({"type": "auto", "limit": limit}, cid)

    async def hint(self, rank: int) -> str | None:
        """The exact price that would reach `rank` now; None when no price does, or it is hidden."""
        asked = uuid.uuid4().hex  # noqa: TID251  # this module stands alone
        frame = {"type": "hint", "id": asked, "rank": rank}
        price: str | None = await self._ask(self._hints, asked, frame)
        return price

    async def events(self) -> AsyncIterator[dict[str, Any]]:
        """Every `event`, `state` and `snapshot` frame from now on, until the client is left.

        A reader that lags more than EVENTS_MAX frames misses the oldest; `view` is right anyway.
        """
        queue: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue(EVENTS_MAX)
        self._watching.append(queue)
        try:
            while (frame := await queue.get()) is not None:
                yield frame
        finally:
            self._watching.remove(queue)

    async def until(self, *states: str) -> dict[str, Any]:
        """The view as soon as its `state` is one of `states`, such as `until("closed")`."""
        return await self.when(lambda view: view["state"] in states)

    async def when(self, wanted: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
        """The view as soon as it is `wanted`."""
        while not wanted(self.view):
            await self.changed()
        return self.view

    async def changed(self) -> None:
        """Until the next frame or connection. Raises Refused."""
        if self._failure is None:
            self._changed.clear()
            await self._changed.wait()
        if self._failure is not None:
            raise self._failure

    async def _order(self, frame: dict[str, Any], cid: str | None) -> Ack:
        frame["cid"] = cid or uuid.uuid4().hex  # noqa: TID251  # this module stands alone
        ack: Ack = await self._ask(self._pending, frame["cid"], frame)
        return ack

    async def _ask(self, asked: dict[str, _Pending], key: str, frame: dict[str, Any]) -> Any:
        if self._failure is not None:
            raise self._failure
        pending = asked.get(key)
        if pending is None:
            pending = asked[key] = _Pending(frame, asyncio.get_running_loop().create_future())
            await self._send(frame)
        elif pending.frame != frame:
            raise ValueError(f"the cid {key} waits for the answer to another command")
        # Shielded: two may wait for the same cid, and one of them may stop waiting.
        return await asyncio.shield(pending.answer)

    # -- the connection -------------------------------------------------------------------------

    async def _run(self) -> None:
        failures = 0
        while self._failure is None:
            heard = self.connections_count
            code = await self._connect_once()
            if code in FINAL:
                self._give_up(Refused(code))
                return
            failures = 0 if self.connections_count > heard else failures + 1
            ceiling_s = BACKOFF_S[min(failures, len(BACKOFF_S) - 1)]
            # Full jitter: a thousand clients of one dead node must not come back as one.
            await asyncio.sleep(random.uniform(0, ceiling_s) + (1.0 if code == 4429 else 0.0))  # noqa: S311

    async def _connect_once(self) -> int | None:
        """One connection from hello to its end; the close code, None when the network ended it."""
        try:
            async with connect(
                self._url,
                additional_headers=self._headers,
                subprotocols=[SUBPROTOCOL],
                compression=None,
                open_timeout=OPEN_TIMEOUT_S,
                max_size=SNAPSHOT_BYTES_MAX,
                proxy=None,
            ) as socket:
                return await self._converse(socket)
        except InvalidStatus as error:
            status = error.response.status_code
            return 4000 + status if status in {401, 403, 404} else None
        except ConnectionClosed as error:
            return error.rcvd.code if error.rcvd else None
        except (OSError, TimeoutError, InvalidHandshake):
            return None

    async def _converse(self, socket: ClientConnection) -> int | None:
        hello: dict[str, Any] = {"type": "hello"}
        if self._last_seq is not None:
            hello |= {"last_seq": self._last_seq, "epoch": self._epoch}
        await socket.send(_text(hello))
        self._socket = socket
        self.connections_count += 1
        self._changed.set()
        beating = asyncio.create_task(self._beat(socket))
        try:
            for pending in [*self._pending.values(), *self._hints.values()]:
                await socket.send(_text(pending.frame))
            while True:
                async with asyncio.timeout(SILENCE_S_MAX):
                    raw = await socket.recv()
                self._take(msgspec.json.decode(raw))
        finally:
            self._socket = None
            beating.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await beating

    async def _beat(self, socket: ClientConnection) -> None:
        """Pings measure the clock and prove that the connection lives."""
        with contextlib.suppress(ConnectionClosed):
            for pause_s in (0.1, 0.3, 0.6):
                await socket.send(_text({"type": "ping", "t": time.monotonic()}))
                await asyncio.sleep(pause_s)
            while True:
                await socket.send(_text({"type": "ping", "t": time.monotonic()}))
                await asyncio.sleep(PING_EVERY_S)

    async def _send(self, frame: dict[str, Any]) -> None:
        if self._socket is not None:
            # Lost with the connection, it goes out again with the next.
            with contextlib.suppress(ConnectionClosed):
                await self._socket.send(_text(frame))

    def _give_up(self, failure: Refused | None) -> None:
        self._failure = failure
        for pending in [*self._pending.values(), *self._hints.values()]:
            if not pending.answer.done():
                if failure is not None:
                    pending.answer.set_exception(failure)
                else:
                    pending.answer.cancel()
        for queue in self._watching:
            _put(queue, None)
        self._ready.set()
        self._changed.set()

    # -- what is heard --------------------------------------------------------------------------

    def _take(self, frame: dict[str, Any]) -> None:
        kind = frame["type"]
        if kind == "ack":
            ack = msgspec.convert(frame, Ack)
            _answer(self._pending.pop(ack.cid, None), ack)
            return
        if kind == "hint":
            _answer(self._hints.pop(str(frame["id"]), None), frame["price"])
            return
        if kind == "pong":
            self.clock.add(frame["t"], time.monotonic(), micros(frame["now"]))
            self._changed.set()
            return
        if kind == "error":
            self._error(frame)
            return
        if kind == "snapshot":
            self._epoch = frame["epoch"]
        self.view = fold(self.view, frame)
        self._last_seq = max(self._last_seq or 0, frame.get("seq", 0))
        self._ready.set()
        self._changed.set()
        for queue in self._watching:
            _put(queue, frame)

    def _error(self, frame: dict[str, Any]) -> None:
        cid, asked = frame.get("cid"), frame.get("id")
        book, key = (self._pending, cid) if cid is not None else (self._hints, str(asked))
        pending = book.get(str(key))
        if pending is None:
            return
        if frame["code"] in _AGAIN:
            delay_s = BACKOFF_S[min(pending.tries, len(BACKOFF_S) - 2)]
            pending.tries += 1
            loop = asyncio.get_running_loop()
            loop.call_later(max(delay_s, frame.get("retry_after_s", 0)), self._again, pending)
            return
        del book[str(key)]
        if not pending.answer.done():
            pending.answer.set_exception(FrameRefused(frame["code"], frame["detail"]))

    def _again(self, pending: _Pending) -> None:
        if not pending.answer.done() and self._socket is not None:
            task = asyncio.create_task(self._send(pending.frame))
            pending.answer.add_done_callback(lambda _: task.cancel())


def _text(frame: dict[str, Any]) -> str:
    return msgspec.json.encode(frame).decode()


def _answer(pending: _Pending | None, answer: Any) -> None:
    if pending is not None and not pending.answer.done():
        pending.answer.set_result(answer)


def _put(queue: asyncio.Queue[dict[str, Any] | None], frame: dict[str, Any] | None) -> None:
    if queue.full():
        queue.get_nowait()
    queue.put_nowait(frame)
