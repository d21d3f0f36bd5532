"""What the account controllers share: scopes, limits, and where a caller comes from."""

from __future__ import annotations

from typing import Any

from litestar import Request

from marketplace.accounts.devices import device_name
from marketplace.accounts.gate import DEVICE_COOKIE, SESSION_COOKIE
from marketplace.accounts.service.logins import Caller

READ, WRITE = "accounts:read", "accounts:write"


def client_address(request: Request[Any, Any, Any]) -> str:
    """The peer's address; behind a trusted proxy the server has put the client's there already."""
    return request.client.host if request.client else "unknown"


def caller_of(request: Request[Any, Any, Any]) -> Caller:
    """From where somebody logs in."""
    device = device_name(request.headers.get("user-agent", ""))
    return Caller(
        address=client_address(request),
        device=device,
        device_cookie=request.cookies.get(DEVICE_COOKIE),
        session_token=request.cookies.get(SESSION_COOKIE),
    )
