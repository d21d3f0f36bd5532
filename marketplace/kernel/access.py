"""Who may call a route, declared beside the route and checked in one place (`web/auth.py`).

A route without a declaration is closed to everybody. Declare with `opt=PUBLIC`, `opt=allow(...)`.
`opt=allow(...) | {"problems": (410,)}` also documents answers that its declaration does not imply,
`allow(...) | takes("text/csv")` a body that the handler reads as it is, and `| sends("text/csv")`
an answer that is a file, `| sorted_by(...)` (`kernel/pages.py`) what a list can be sorted by.
`| UNCOUNTED` keeps its calls out of the metrics, `| STORES` lets a GET write.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from marketplace.kernel.actor import ROLES

_AREAS = (
    "accounts",
    "catalogue",
    "prices",
    "tenders",
    "auctions",
    "orders",
    "ratings",
    "partners",
    "exchange",
)
SCOPES = frozenset(f"{area}:{verb}" for area in _AREAS for verb in ("read", "write"))
"""What an API key can be narrowed to, beside `*`."""

Kind = Literal["public", "member", "socket"]


class Access(msgspec.Struct, frozen=True, kw_only=True):
    """kind      `public`: anybody; `member`: who is logged in; `socket`: the WebSocket handler asks
                 the gate itself, because only an accepted socket can tell its close code
    roles     one of these is needed; empty: any role
    scope     what an API key must carry; None: only a browser session may call
    operator  only the organisation that runs the marketplace
    waiting   organisations that are not approved yet may call too
    verified  in a browser session the password or a code must have been given a short while ago, so
              that an unlocked screen or a stolen cookie does not become a login of its own
    """

    kind: Kind
    roles: frozenset[str] = frozenset()
    scope: str | None = None
    operator: bool = False
    waiting: bool = False
    verified: bool = False
    idempotent: bool = True


PUBLIC: dict[str, Any] = {"access": Access(kind="public")}
SOCKET: dict[str, Any] = {"access": Access(kind="socket")}
PUBLIC_ONCE: dict[str, Any] = {"access": Access(kind="public", idempotent=False)}
"""Public, and its answer is never stored for replay (it sets a cookie)."""


STORES: dict[str, Any] = {"stores": True}
"""A GET that stores what it made, so that later calls get the same bytes; all others only read."""

UNCOUNTED: dict[str, Any] = {"uncounted": True}
"""How many requests came is itself a secret: sealed offers before their opening."""


def allow(
    *roles: str,
    scope: str | None,
    operator: bool = False,
    waiting: bool = False,
    verified: bool = False,
) -> dict[str, Any]:
    """`opt=allow("procurement_officer", scope="tenders:write")`. Unknown words fail at import."""
    assert ROLES.issuperset(roles), f"unknown role among {roles}"
    assert scope is None or scope in SCOPES, f"unknown scope {scope}"
    return {
        "access": Access(
            kind="member",
            roles=frozenset(roles),
            scope=scope,
            operator=operator,
            waiting=waiting,
            verified=verified,
        )
    }


def takes(*media_types: str) -> dict[str, Any]:
    """The request's body is a file of one of these types."""
    return {"takes": media_types}


def sends(*media_types: str) -> dict[str, Any]:
    """The answer of success is a file of one of these types."""
    return {"sends": media_types}
