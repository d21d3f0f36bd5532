"""One unit of work a request, and the one place that ends it.

A handler's `session` is opened on first use in the scope of its actor. When the answer begins, a
status below 400 commits first and any other rolls back, so nobody is told of work that is not
durable, and a commit that fails becomes a problem instead. With an `Idempotency-Key` the answer is
kept in the same transaction. A handler that only reads and must be quick takes a `reader` instead,
whose end nobody waits for.

The session of a GET is read-only: a page that is fetched again, early or by a crawler must neither
change anything nor hold up those who do. `opt=STORES` makes an exception.
"""

from __future__ import annotations

import asyncio
from hashlib import sha256
from typing import Any

from litestar import Request, Response
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.kernel.access import STORES, Access
from marketplace.kernel.actor import Actor
from marketplace.kernel.db import Database, Reading, commit, to_the_end
from marketplace.kernel.idempotency import Answer, Answers, Asked
from marketplace.kernel.statements import Reader
from web.problems import MEDIA_TYPE, render

UNIT = "marketplace.unit"
STORED_ANSWER_BYTES_MAX = 1 << 20
_READ_ONLY = frozenset(["GET", "HEAD"])


class UnitOfWork:
    """The transaction of one request; `asked` is set while its answer is to be kept."""

    def __init__(self) -> None:
        self.actor: Actor | None = None
        self.asked: Asked | None = None
        self.answers: Answers | None = None
        self._session: AsyncSession | None = None
        self._reading: Reading | None = None
        self._reader: Reader | None = None
        self._giving_back: asyncio.Task[None] | None = None
        self._ended = False

    async def session(self, database: Database, *, read_only: bool = False) -> AsyncSession:
        """The same session each time. Nobody's session sees no tenant's row until a service says
        for whom it acts.
        """
        assert not self._ended, "the answer has begun: a stream opens transactions of its own"
        if self._session is None:
            self._session = database.session(self.actor, read_only=read_only)
        return self._session

    async def reader(self, database: Database) -> Reader:
        """The same reader each time, in the scope of the actor; what `session` wrote is not seen
        by it.
        """
        assert not self._ended, "the answer has begun: a stream opens transactions of its own"
        if self._reader is None:
            reading = database.reading(self.actor)
            self._reader = await reading.__aenter__()
            self._reading = reading
        return self._reader

    async def commit(self, answer: Answer | None) -> None:
        """Keep `answer` where it was asked for, commit, and give the connection back."""
        self._ended = True
        self._stop_reading()
        if self._session is None:
            return
        if answer is not None and self.asked is not None and self.answers is not None:
            await self.answers.keep(self._session, self.asked, answer)
        await commit(self._session)
        await to_the_end(self._session.close())
        self._session = None

    async def roll_back(self) -> None:
        self._ended = True
        self._stop_reading()
        if self._session is not None:
            session, self._session = self._session, None
            await to_the_end(session.close())

    async def end(self) -> None:
        """Leaves nothing open, whatever became of the request."""
        await self.roll_back()
        if self._giving_back is not None:
            await to_the_end(self._giving_back)

    def _stop_reading(self) -> None:
        """Meanwhile the answer leaves: a read has nothing to make durable first."""
        if self._reading is not None:
            reading, self._reading = self._reading, None
            self._giving_back = asyncio.create_task(reading.__aexit__(None, None, None))


class UnitOfWorkMiddleware:
    """Wraps the whole application: what leaves through it is committed."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        unit = UnitOfWork()
        scope[UNIT] = unit  # type: ignore[literal-required]
        try:
            await self._app(scope, receive, _Ending(unit, send))
        finally:
            await unit.end()


class _Ending:
    """The `send` of one request: ends the unit of work before the first byte leaves."""

    def __init__(self, unit: UnitOfWork, send: Send) -> None:
        self._unit = unit
        self._send = send
        self._start: Message | None = None
        self._body = bytearray()
        self._refused = False

    async def __call__(self, message: Message) -> None:
        if self._refused:
            return
        if message["type"] == "http.response.start":
            await self._begin(message)
        elif message["type"] == "http.response.body" and self._start is not None:
            self._body += message.get("body", b"")
            if not message.get("more_body", False) or len(self._body) > STORED_ANSWER_BYTES_MAX:
                await self._end_kept(message.get("more_body", False))
        else:
            await self._send(message)

    async def _begin(self, start: Message) -> None:
        assert start["type"] == "http.response.start"
        if start["status"] >= 400:
            await self._unit.roll_back()
        elif self._unit.asked is not None:
            # The answer goes into the transaction, so it is gathered before anything leaves.
            self._start = start
            return
        elif not await self._committed(None):
            return
        await self._send(start)

    async def _end_kept(self, more_body: bool) -> None:
        start, self._start = self._start, None
        assert start is not None
        assert start["type"] == "http.response.start"
        kept = None
        if len(self._body) <= STORED_ANSWER_BYTES_MAX and not more_body:
            headers = {name.lower(): value for name, value in start["headers"]}
            media_type = headers.get(b"content-type", b"").decode("latin-1")
            kept = Answer(start["status"], media_type, bytes(self._body))
        if await self._committed(kept):
            await self._send(start)
            await self._send(
                {"type": "http.response.body", "body": bytes(self._body), "more_body": more_body}
            )

    async def _committed(self, kept: Answer | None) -> bool:
        try:
            await self._unit.commit(kept)
        except Exception as error:  # noqa: BLE001  # every failed commit is told as a problem
            self._refused = True
            await self._unit.roll_back()
            await send_problem(self._send, error)
            return False
        return True


async def send_problem(send: Send, error: Exception) -> None:
    """A problem outside Litestar's reach, straight to the server."""
    rendered = render(error)
    body = rendered.body()
    headers = {"content-type": MEDIA_TYPE, "content-length": str(len(body))} | rendered.headers
    await send(
        {
            "type": "http.response.start",
            "status": rendered.document.status,
            "headers": [(name.lower().encode(), text.encode()) for name, text in headers.items()],
        }
    )
    await send({"type": "http.response.body", "body": body, "more_body": False})


def unit_of(scope: Scope) -> UnitOfWork:
    unit = scope[UNIT]  # type: ignore[literal-required]
    assert isinstance(unit, UnitOfWork)
    return unit


def _database(scope: Scope) -> Database:
    """Not by injection: one round of it less for every request."""
    database = scope["litestar_app"].state.living.database
    assert isinstance(database, Database)
    return database


async def provide_session(scope: Scope) -> AsyncSession:
    """Dependency `session`."""
    reads = scope["type"] == ScopeType.HTTP and scope["method"] in _READ_ONLY
    stores = STORES.items() <= scope["route_handler"].opt.items()
    return await unit_of(scope).session(_database(scope), read_only=reads and not stores)


async def provide_reader(scope: Scope) -> Reader:
    """Dependency `reader`."""
    return await unit_of(scope).reader(_database(scope))


async def replay(request: Request[Any, Any, Any]) -> Response[bytes] | None:
    """Before the handler of a POST with `Idempotency-Key`: the stored answer, or None and the key
    is held until the transaction ends. Raises Conflict, Invalid.
    """
    key = request.headers.get("idempotency-key")
    access = request.route_handler.opt.get("access")
    if key is None or request.method != "POST":
        return None
    if not isinstance(access, Access) or not access.idempotent:
        return None
    unit = unit_of(request.scope)
    query = request.scope["query_string"].decode("latin-1")
    asked = Asked(
        actor=unit.actor,
        key=key,
        method="POST",
        path=request.scope["path"] + (f"?{query}" if query else ""),
        body_hash=sha256(await request.body()).digest(),
    )
    unit.answers = request.app.state.living.answers
    assert isinstance(unit.answers, Answers)
    session = await unit.session(request.app.state.living.database)
    stored = await unit.answers.find(session, asked)
    if stored is None:
        unit.asked = asked
        return None
    return Response(
        stored.body,
        status_code=stored.status,
        media_type=stored.media_type or None,
        headers={"Idempotent-Replayed": "true"},
    )
