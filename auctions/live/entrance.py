"""Who comes in, and as what: from a handshake's headers to a viewer, or to a close code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import msgspec

from auctions.practice.queries import auction_for
from auctions.rules.views.visibility import BUYER, OBSERVER, Viewer, bidder
from auctions.tenders.queries import AuctionAccess
from marketplace.accounts.gate import Gate, read_credentials
from marketplace.kernel.actor import SHUT_OUT, Actor
from marketplace.kernel.db import Database

READ, WRITE = "auctions:read", "auctions:write"
NOT_AUTHENTICATED, NOT_ADMITTED, UNKNOWN = 4401, 4403, 4404


class TurnedAway(Exception):
    """The socket closes with this code."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


class Entered(msgspec.Struct, frozen=True):
    """`may_order`: the frames of this socket may become commands."""

    actor: Actor
    viewer: Viewer
    may_order: bool


def viewer_of(access: AuctionAccess) -> Viewer:
    """What of an auction this access shows. `invited` sees nothing yet; ask before."""
    if access.role == "buyer":
        return BUYER
    if access.role == "bidder" and access.alias is not None:
        return bidder(access.alias)
    return OBSERVER


async def enter(
    gate: Gate, database: Database, scope: Mapping[str, Any], auction_id: UUID
) -> Entered:
    """Raises TurnedAway, or the database's errors when it is away."""
    actor = await _caller(gate, scope)
    may_use = actor.has_scope(READ) and actor.has_module("auctions")
    if actor.state in SHUT_OUT or not may_use:
        raise TurnedAway(NOT_ADMITTED, "not allowed")
    async with database.transaction(actor) as session:
        access = await auction_for(session, actor, auction_id)
    if access is None:
        raise TurnedAway(UNKNOWN, "no such auction here")
    if access.role == "invited":
        raise TurnedAway(NOT_ADMITTED, "accept the terms first")
    may_order = access.role == "bidder" and access.may_act and actor.has_scope(WRITE)
    return Entered(actor, viewer_of(access), may_order)


async def _caller(gate: Gate, scope: Mapping[str, Any]) -> Actor:
    shown = read_credentials(scope["headers"])
    if shown.bearer is None:
        # No CORS protects a WebSocket: a foreign page could open one with the visitor's cookie.
        is_own = shown.origin is not None and gate.same_origin(scope["headers"], scope["scheme"])
        if not is_own:
            raise TurnedAway(NOT_AUTHENTICATED, "a cookie needs the own Origin")
    actor = await gate.authenticate(scope["headers"])
    if actor is None:
        raise TurnedAway(NOT_AUTHENTICATED, "log in first")
    return actor
