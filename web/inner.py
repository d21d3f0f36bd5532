"""A call of the application by itself, with the headers of the request that causes it.

The answer is what the caller of that request would get, access included.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast
from urllib.parse import urlencode

import msgspec
from litestar import Request
from litestar.types import ASGIApp, HTTPScope, Message

_RAW = ("type", "asgi", "http_version", "scheme", "root_path", "client", "server", "path")
_NOT_REPEATED = frozenset(
    [
        b"accept",
        b"content-length",
        b"content-type",
        b"idempotency-key",
        b"if-match",
        b"if-none-match",
        b"transfer-encoding",
    ]
)


class InnerAnswer(msgspec.Struct, frozen=True):
    """`headers` by their names in lower case."""

    status: int
    headers: dict[bytes, bytes]
    body: bytes


async def get(
    app: ASGIApp,
    request: Request[Any, Any, Any],
    query: Iterable[tuple[str, str]] = (),
    extra: Mapping[str, object] | None = None,
) -> InnerAnswer:
    """GET the path of `request` as JSON, with `query` as the whole query; `extra` goes into the
    scope.
    """
    outer = request.scope
    scope: dict[str, Any] = {name: outer[name] for name in _RAW if name in outer}  # type: ignore[literal-required]
    headers = [(name, value) for name, value in outer["headers"] if name not in _NOT_REPEATED]
    scope |= {
        "method": "GET",
        "raw_path": outer["raw_path"],
        "query_string": urlencode(list(query)).encode(),
        "headers": [*headers, (b"accept", b"application/json")],
        "extensions": {},
        "state": {},
    }
    scope |= extra or {}
    status, got, body = 500, dict[bytes, bytes](), bytearray()

    async def send(message: Message) -> None:
        nonlocal status, got
        if message["type"] == "http.response.start":
            status = message["status"]
            got = {name.lower(): value for name, value in message["headers"]}
        elif message["type"] == "http.response.body":
            body.extend(message.get("body", b""))

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    await app(cast("HTTPScope", scope), receive, send)
    return InnerAnswer(status, got, bytes(body))
