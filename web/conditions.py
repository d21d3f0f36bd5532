"""`ETag`, `If-Match` and `If-None-Match` (RFC 9110, 8.8.3 and 13) for every object people edit.

An object is editable where its path answers GET and PUT or PATCH. Its tag is the hash of what GET
answers, so no feature keeps a version of its own, and a tag is right for each caller's own view.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from litestar import Litestar, Request
from litestar.enums import ScopeType
from litestar.routes import HTTPRoute
from litestar.types import HTTPScope, Message, Receive, Scope, Send
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.kernel.errors import PreconditionFailed
from web import inner
from web.strict import API
from web.transaction import UNIT, unit_of

WRITES = frozenset(["PUT", "PATCH", "DELETE"])


Tagged = dict[str, frozenset[str]]
"""Path template of an editable object → methods that answer with its content."""


def tagged_calls(app: Litestar) -> Tagged:
    """Paths with GET and PUT or PATCH."""
    calls: Tagged = {}
    for route in app.routes:
        if not isinstance(route, HTTPRoute) or not route.path.startswith(API):
            continue
        methods = route.route_handler_map
        if "GET" not in methods or {"PUT", "PATCH"}.isdisjoint(methods):
            continue
        content = methods["GET"][0].parsed_fn_signature.return_type.annotation
        calls[route.path_format] = frozenset(
            str(method)
            for method, (handler, _) in methods.items()
            if handler.parsed_fn_signature.return_type.annotation == content
        )
    return calls


def tag_of(body: bytes) -> bytes:
    """A strong tag; 128 bits, as nobody gains by a collision of the own edits."""
    return b'"' + sha256(body).hexdigest()[:32].encode() + b'"'


class EntityTags:
    """Adds the tag to the answers, and answers 304 where the caller has the content already."""

    def __init__(self, app: Litestar) -> None:
        self._app = app
        self._calls = tagged_calls(app)
        app.state.tagged_calls = self._calls

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == ScopeType.HTTP and scope["path"].startswith(API):
            send = _Tagging(scope, send, self._calls)
        await self._app(scope, receive, send)


class _Tagging:
    """Holds the start of the answer until its one body is there."""

    def __init__(self, scope: HTTPScope, send: Send, calls: Tagged) -> None:
        self._scope = scope
        self._send = send
        self._calls = calls
        self._start: Any = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and self._tags(message["status"]):
            self._start = message
            return
        if self._start is not None and message["type"] == "http.response.body":
            start, self._start = self._start, None
            if not message.get("more_body", False):
                tag = tag_of(message["body"])
                start["headers"] = [*start["headers"], (b"etag", tag)]
                reading = self._scope["method"] == "GET"
                if reading and tag in _tags_in(self._scope, b"if-none-match"):
                    start["status"] = 304
                    start["headers"] = [(b"etag", tag)]
                    message["body"] = b""
            await self._send(start)
        await self._send(message)

    def _tags(self, status: int) -> bool:
        methods = self._calls.get(str(self._scope.get("path_template")), frozenset())
        return status == 200 and self._scope["method"] in methods


def _tags_in(scope: HTTPScope, header: bytes) -> list[bytes]:
    """Tags of a conditional header. A weak tag (`W/`) never equals a strong one."""
    values = [value for name, value in scope["headers"] if name == header]
    return [tag.strip() for value in values for tag in value.split(b",")]


async def refuse_stale(request: Request[Any, Any, Any]) -> None:
    """Raises PreconditionFailed when `If-Match` names another content than the present one.

    Writers of one object take turns from here to the end of their transaction, so that of two with
    the same tag only the first is let through. The present content is read inside that transaction.
    """
    path = str(request.scope.get("path_template"))
    if request.method not in WRITES or path not in request.app.state.tagged_calls:
        return
    wanted = _tags_in(request.scope, b"if-match")
    unit = unit_of(request.scope)
    # All of it first: nobody keeps others waiting for the object by sending a body slowly.
    await request.body()
    await take_turn(await unit.session(request.app.state.living.database), request.url.path)
    if not wanted:
        return
    present = await inner.get(request.app.state.in_this_unit, request, extra={UNIT: unit})
    if present.status == 404:
        return  # the write itself finds out and says why
    # Whoever may write but not read, such as a narrow key, cannot know what it overwrites.
    tag = present.headers.get(b"etag")
    if tag is None or (b"*" not in wanted and tag not in wanted):
        raise PreconditionFailed()


async def take_turn(session: AsyncSession, path: str) -> None:
    """Writers of the object at this path of the API wait for each other until `session` ends."""
    # An id may be written in capitals: still the same object.
    digest = sha256(path.rstrip("/").lower().encode()).digest()
    lock = int.from_bytes(digest[:8], "big", signed=True)
    await session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": lock})
