"""The outermost wrapper: request id, security headers, one log line and one count a request."""

from __future__ import annotations

import re

import structlog
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from auctions.live.wire import RAW_SEND
from marketplace.kernel.clock import Clock
from marketplace.kernel.ids import new_id
from web.metrics import Metrics
from web.transaction import send_problem

_ALWAYS = {
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"same-origin",
    b"cross-origin-opener-policy": b"same-origin",
    b"permissions-policy": b"camera=(), geolocation=(), microphone=()",
}
_HSTS = (b"strict-transport-security", b"max-age=31536000")
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_SILENT = frozenset(["/healthz", "/readyz", "/metrics"])

_log = structlog.get_logger("web.request")


def content_security_policy(origin: str) -> bytes:
    """Everything from the own host. `'self'` covers a page's WebSockets in today's browsers; the
    address of `origin` is named for those in which it does not.
    """
    scheme, _, host = origin.partition("://")
    sockets = f"{'wss' if scheme == 'https' else 'ws'}://{host.partition('/')[0]}"
    return (
        f"default-src 'self'; connect-src 'self' {sockets}; img-src 'self' data:;"
        " object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ).encode()


class Edge:
    """Answers 500 as a problem when everything below failed to answer at all."""

    def __init__(self, app: ASGIApp, metrics: Metrics, clock: Clock, *, origin: str) -> None:
        self._app = app
        self._metrics = metrics
        self._clock = clock
        self._headers = _ALWAYS | {b"content-security-policy": content_security_policy(origin)}
        if origin.startswith("https://"):
            self._headers |= dict([_HSTS])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            scope[RAW_SEND] = send  # type: ignore[literal-required]
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        started, status = self._clock.monotonic(), 0

        async def send_on(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = self._completed(scope, message["headers"], request_id)
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id.decode()):
            try:
                await self._app(scope, receive, send_on)
            except Exception as error:
                if status == 0:
                    await send_problem(send_on, error)
                else:
                    # The answer had begun; only a broken connection can still tell.
                    _log.error("answer_broke_off", exc_info=error)
                    raise
            finally:
                self._tell(scope, status, self._clock.monotonic() - started)

    def _completed(
        self, scope: Scope, given: object, request_id: bytes
    ) -> list[tuple[bytes, bytes]]:
        headers = [(name.lower(), value) for name, value in given]  # type: ignore[attr-defined]
        present = {name for name, _ in headers}
        headers += [(name, value) for name, value in self._headers.items() if name not in present]
        if b"cache-control" not in present and not scope["path"].startswith("/static/"):
            headers.append((b"cache-control", b"no-store"))
        headers.append((b"x-request-id", request_id))
        return headers

    def _tell(self, scope: Scope, status: int, seconds: float) -> None:
        route = str(scope.get("path_template") or "(no route)")
        method = scope["method"] if scope["type"] == ScopeType.HTTP else "GET"
        handler = scope.get("route_handler")
        if handler is None or not handler.opt.get("uncounted"):
            self._metrics.count_request(method, route, status, seconds)
        if route not in _SILENT:
            _log.info(
                "request",
                method=method,
                route=route,
                status=status,
                ms=round(seconds * 1000, 1),
            )


def _request_id(scope: Scope) -> bytes:
    """The client's or proxy's own id where it is a plain one, else a new one."""
    for name, value in scope["headers"]:
        if name.lower() == b"x-request-id" and _REQUEST_ID.fullmatch(value):
            return value
    return new_id().hex.encode()
