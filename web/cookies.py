"""Over HTTPS the session cookie travels as `__Host-session` (RFC 6265bis, 4.1.3.2).

A browser takes a cookie of that name only from this very host, over TLS and for the whole site, so
neither another subdomain nor somebody on a plain-text line can plant a session of his own. Inside
the application the name stays `session`. `csrf_token` keeps its name on the wire, which programs
read it by; a planted one is worthless, because the token is bound to the session.
"""

from __future__ import annotations

from litestar.types import ASGIApp, Message, Receive, Scope, Send

from marketplace.accounts.gate import SESSION_COOKIE

PREFIX = b"__Host-"
_NAME = SESSION_COOKIE.encode()


class HostCookies:
    """Wraps the application of an installation whose public address is https."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["headers"] = [
            (name, received(value) if name.lower() == b"cookie" else value)
            for name, value in scope.get("headers", [])
        ]

        async def send_on(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [
                    (name, sent(value) if name.lower() == b"set-cookie" else value)
                    for name, value in message["headers"]
                ]
            await send(message)

        await self._app(scope, receive, send_on)


def received(header: bytes) -> bytes:
    """A `Cookie` header as the application reads it: the unprefixed name counts for nothing."""
    pairs = [pair.strip() for pair in header.split(b";")]
    kept = [pair for pair in pairs if pair.partition(b"=")[0].strip() != _NAME]
    return b"; ".join(
        pair.removeprefix(PREFIX) if pair.startswith(PREFIX + _NAME + b"=") else pair
        for pair in kept
    )


def sent(header: bytes) -> bytes:
    """A `Set-Cookie` header as it leaves."""
    return PREFIX + header if header.startswith(_NAME + b"=") else header
