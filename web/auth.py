"""The guard of every route. What a route asks for stands beside it (`marketplace.kernel.access`); a
route that says nothing is closed.
"""

from __future__ import annotations

from typing import Any

from litestar.connection import ASGIConnection
from litestar.enums import ScopeType
from litestar.handlers.base import BaseRouteHandler
from litestar.types import Scope

from marketplace.accounts.gate import Gate
from marketplace.kernel.access import Access
from marketplace.kernel.actor import SHUT_OUT, Actor
from marketplace.kernel.errors import Forbidden, Unauthenticated, Unavailable
from web.transaction import unit_of

SAFE_METHODS = frozenset(["GET", "HEAD", "OPTIONS"])
ACTOR = "marketplace.actor"


async def guard(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Raises Unauthenticated or Forbidden. An HTTP handler finds its caller in `actor` after it."""
    scope = connection.scope
    method = scope["method"] if scope["type"] == ScopeType.HTTP else "GET"
    if method == "OPTIONS":
        return  # Litestar's own answer, which names the methods and nothing else
    access = handler.opt.get("access")
    if not isinstance(access, Access):
        raise Forbidden("route_closed", "Nobody may call this.")
    parts = connection.app.state.living
    if method not in SAFE_METHODS and parts.readiness.wrong_secret:
        # What would be sealed now, nobody could open later.
        raise Unavailable("wrong_secret", "This node has a wrong master secret.")
    gate: Gate = parts.gate
    if access.kind == "public":
        # A foreign page must not log its visitor in as somebody else either.
        if method not in SAFE_METHODS and not gate.same_origin(scope["headers"], scope["scheme"]):
            raise Forbidden("origin_foreign", "Another site may not do this.")
        return
    if access.kind == "socket":
        return
    actor = await gate.authenticate(scope["headers"])
    if actor is None:
        raise Unauthenticated()
    check(access, actor, method)
    actor.require_module(module_of(access, scope["path"]))
    if method not in SAFE_METHODS:
        gate.check_browser_write(scope["headers"], scope["scheme"])
    scope[ACTOR] = actor  # type: ignore[literal-required]
    if scope["type"] == ScopeType.HTTP:
        unit_of(scope).actor = actor


def check(access: Access, actor: Actor, method: str) -> None:
    """Whether `actor` may call a route with `access`. Raises Forbidden."""
    if actor.state in SHUT_OUT:
        raise Forbidden("organisation_suspended", "Your organisation is suspended or retired.")
    if method not in SAFE_METHODS and not access.waiting:
        actor.require_active()
    if access.operator and not actor.operator:
        raise Forbidden("operator_only", "Only the operator may do this.")
    if access.scope is not None:
        actor.require_scope(access.scope)
    elif actor.scopes is not None:
        raise Forbidden("session_only", "This needs a browser session, not an API key.")
    if access.roles:
        actor.require_role(*access.roles)
    if access.verified:
        actor.require_verified()


PAGES = {
    "auctions": "auctions",
    "tenders": "tenders",
    "lots": "tenders",
    "awards": "tenders",
    "offers": "tenders",
    "practice": "auctions",
    "orders": "orders",
    "claims": "orders",
    "prices": "prices",
    "catalogue": "catalogue",
    "ratings": "ratings",
    "programme": "partners",
}
"""Which module a page belongs to, by the first word of its address; pages carry no scope."""


def module_of(access: Access, path: str) -> str:
    """What must be on for this call."""
    if access.scope is not None:
        return access.scope.partition(":")[0]
    return PAGES.get(path.strip("/").partition("/")[0], "accounts")


async def provide_actor(scope: Scope) -> Actor:
    """Dependency `actor`, on routes for members."""
    actor = scope.get(ACTOR)
    if not isinstance(actor, Actor):
        raise Unauthenticated()
    return actor


async def provide_visitor(scope: Scope, gate: Gate) -> Actor | None:
    """Dependency `visitor`, on public routes: who it is, if anybody. Nothing is allowed by it."""
    actor = scope.get(ACTOR)
    return actor if isinstance(actor, Actor) else await gate.authenticate(scope["headers"])
