"""`GET /api/v1/auctions/{id}/live`: one conversation, from the handshake to its close code."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import msgspec
import structlog
from litestar import WebSocket, websocket
from litestar.exceptions import WebSocketDisconnect
from sqlalchemy.exc import SQLAlchemyError

from auctions.live import messages
from auctions.live.allowance import Bucket
from auctions.live.entrance import Entered, TurnedAway, enter
from auctions.live.hub import Hub
from auctions.live.member import Member
from auctions.live.messages import FRAME_BYTES_MAX, SUBPROTOCOL, Hello, Hint, Order, Ping
from auctions.live.room import Room
from auctions.live.wire import RAW_SEND, Wire, wire_of
from auctions.rules.views.limits import price_for_rank
from marketplace.accounts.gate import Gate
from marketplace.kernel.access import SOCKET
from marketplace.kernel.clock import rfc3339
from marketplace.kernel.db import Database
from marketplace.kernel.errors import Problem, TooFast, Unavailable
from marketplace.kernel.money import format_minor
from marketplace.kernel.outage_log import OUTAGES

HELLO_TIMEOUT_S = 5.0
NO_HELLO, TOO_LARGE, TOO_FAST = 4408, 4413, 4429
BROKEN, DRAINING, AGAIN_LATER = 1011, 1012, 1013

_log = structlog.get_logger(__name__)


class Closing(Exception):
    """The conversation ends with this code."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


@websocket("/api/v1/auctions/{auction_id:uuid}/live", opt=SOCKET)
async def live_channel(
    socket: WebSocket[Any, Any, Any],
    auction_id: UUID,
    live: Hub,
    gate: Gate,
    database: Database,
) -> None:
    """The live channel of one auction; the frames are described in `docs/live-client.md`."""
    scope: Any = socket.scope
    offered = scope["subprotocols"]
    await socket.accept(subprotocols=SUBPROTOCOL if SUBPROTOCOL in offered else None)
    wire = wire_of(scope.get(RAW_SEND, socket.send))
    try:
        await _welcome(socket, wire, auction_id, live, gate, database)
    except (Closing, TurnedAway) as closing:
        live.metrics.closes.labels(str(closing.code)).inc()
        await wire.close(closing.code, closing.reason)
    except WebSocketDisconnect:
        return
    except Exception as error:  # noqa: BLE001  # Litestar would close without a word in the log
        _log.error("channel_failed", exc_info=error)
        live.metrics.closes.labels(str(BROKEN)).inc()
        await wire.close(BROKEN, "internal error")


async def _welcome(
    socket: WebSocket[Any, Any, Any],
    wire: Wire,
    auction_id: UUID,
    live: Hub,
    gate: Gate,
    database: Database,
) -> None:
    """Raises Closing, TurnedAway, WebSocketDisconnect."""
    try:
        async with live.entering:
            entered = await enter(gate, database, dict(socket.scope), auction_id)
        live.admit_socket(entered.actor.user_id)
    except Unavailable as problem:
        draining = problem.code == "draining"
        raise Closing(DRAINING if draining else AGAIN_LATER, problem.detail) from None
    except TooFast as problem:
        raise Closing(TOO_FAST, problem.detail) from None
    except (SQLAlchemyError, OSError, TimeoutError) as error:
        OUTAGES.failed(error, where="entering an auction")
        raise Closing(AGAIN_LATER, "a server is away") from None
    try:
        await Conversation(socket, wire, auction_id, live, entered).run()
    finally:
        live.release_socket(entered.actor.user_id)


class Conversation:
    """One socket after its handshake. Bad frames are answered by `error`, and it goes on."""

    def __init__(
        self,
        socket: WebSocket[Any, Any, Any],
        wire: Wire,
        auction_id: UUID,
        live: Hub,
        entered: Entered,
    ) -> None:
        self._socket, self._wire, self._live = socket, wire, live
        self._auction_id, self._entered = auction_id, entered
        self._member = Member(wire, entered.actor, entered.viewer, live.clock.monotonic)
        self._frames = Bucket(live.limits.frames.burst, live.clock.monotonic())
        self._orders: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Raises Closing, WebSocketDisconnect."""
        hello = await self._hello()
        try:
            room = await self._live.room(self._auction_id)
        except (Unavailable, OSError, TimeoutError, SQLAlchemyError):
            raise Closing(AGAIN_LATER, "the auction is interrupted") from None
        room.join(self._member, hello)
        reading = asyncio.create_task(self._read(room))
        try:
            ends: set[asyncio.Future[Any]] = {reading, self._member.leaving}
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            if self._member.leaving.done():
                raise Closing(*self._member.leaving.result())
            reading.result()
        finally:
            reading.cancel()
            # What is in the log is decided all the same; its sender asks again by its cid.
            for order in self._orders:
                order.cancel()
            await asyncio.wait([reading, *self._orders])
            self._live.leave(room, self._member)

    async def _hello(self) -> Hello:
        """Raises Closing, WebSocketDisconnect."""
        try:
            async with asyncio.timeout(HELLO_TIMEOUT_S):
                while True:
                    frame = self._understood(await self._receive())
                    if isinstance(frame, Hello):
                        return frame
                    if frame is not None:
                        self._error("hello_first", "Say hello first.")
        except TimeoutError:
            raise Closing(NO_HELLO, "no hello") from None

    async def _receive(self) -> bytes | None:
        """One frame, None for a binary one. Raises Closing, WebSocketDisconnect."""
        message = await self._socket.receive()
        if message["type"] != "websocket.receive":
            raise WebSocketDisconnect(detail="closed by the client")
        if self._frames.take(self._live.limits.frames, self._live.clock.monotonic()) is not None:
            raise Closing(TOO_FAST, "too many frames")
        text = message.get("text")
        raw = (message.get("bytes") or b"") if text is None else text.encode()
        if len(raw) > FRAME_BYTES_MAX:
            raise Closing(TOO_LARGE, f"a frame has at most {FRAME_BYTES_MAX} bytes")
        return None if text is None else raw

    def _understood(self, raw: bytes | None) -> messages.AnyFrame | None:
        if raw is None:
            self._error("bad_frame", "Frames are JSON texts.")
            return None
        try:
            return messages.read(raw)
        except msgspec.MsgspecError as error:
            self._error("bad_frame", str(error), cid=messages.cid_in(raw))
            return None

    async def _read(self, room: Room) -> None:
        """Until the client goes. Raises Closing, WebSocketDisconnect."""
        while True:
            frame = self._understood(await self._receive())
            if isinstance(frame, Ping):
                now = rfc3339(room.book.now_us())
                self._member.tell(messages.encode({"type": "pong", "t": frame.t, "now": now}))
            elif isinstance(frame, Hint):
                self._begin(self._hint(room, frame))
            elif isinstance(frame, Hello):
                self._error("hello_twice", "Hello is said once, at the beginning.")
            elif frame is not None:
                self._order(room, frame)

    def _order(self, room: Room, frame: Order) -> None:
        alias = self._member.alias
        if alias is None or not self._entered.may_order:
            self._error("not_allowed", "You may watch here, not bid.", cid=frame.cid)
            return
        if len(self._orders) >= self._live.limits.in_flight:
            self._error("retry", "Too many wait for their answer; repeat it.", cid=frame.cid)
            return
        wait_s = self._live.allowances.take(f"{self._auction_id}:{alias}")
        if wait_s is not None:
            self._error("too_fast", "Slow down, then repeat it.", cid=frame.cid, wait_s=wait_s)
            return
        self._begin(self._ask(room, frame, alias))

    def _begin(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._orders.add(task)
        task.add_done_callback(self._answered)

    def _answered(self, task: asyncio.Task[None]) -> None:
        self._orders.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            # A fault of ours must not leave a bidder waiting: the client comes back and asks again.
            _log.error("frame_failed", exc_info=error)
            self._member.leave(BROKEN, "internal error")

    async def _ask(self, room: Room, frame: Order, alias: str) -> None:
        began = self._live.clock.monotonic()
        try:
            ack = await room.acks.order(self._live.books, messages.body_of(frame, alias))
        except Unavailable as problem:
            self._error("retry", problem.detail, cid=frame.cid)
        except Problem as problem:
            self._error(problem.code, problem.detail, cid=frame.cid)
        else:
            self._member.tell(ack)
            self._live.metrics.acks.inc()
            self._live.metrics.ack_seconds.observe(self._live.clock.monotonic() - began)

    async def _hint(self, room: Room, frame: Hint) -> None:
        alias = self._member.alias
        if alias is None:
            self._error("not_allowed", "Only who bids can ask for a price.", id=frame.id)
            return
        try:
            async with room.book.settled() as fold:
                state = fold.state
                price = price_for_rank(state, alias, frame.rank, room.book.now_us())
        except Unavailable as problem:
            self._error("retry", problem.detail, id=frame.id)
            return
        shown = None if price is None else format_minor(price, state.terms.exponent)
        self._member.tell(messages.encode({"type": "hint", "id": frame.id, "price": shown}))

    def _error(
        self,
        code: str,
        detail: str,
        *,
        cid: str | None = None,
        id: str | int | None = None,  # the field's name in the frame
        wait_s: float | None = None,
    ) -> None:
        self._live.metrics.errors.labels(code).inc()
        after = None if wait_s is None else round(wait_s, 3)
        self._member.tell(messages.error(code, detail, cid=cid, id=id, retry_after_s=after))
