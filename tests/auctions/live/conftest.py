"""Arenas for the tests of the live channel."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from auctions.live.hub import Hub
from tests.auctions.live.arena import Arena, new_arena
from tests.people import NewPerson
from web.app import Application

NewArena = Callable[..., Awaitable[Arena]]


@pytest.fixture
def arena(live_server: str, new_buyer: NewPerson, new_supplier: NewPerson) -> NewArena:
    """`await arena(3, visibility="all")`: an auction with three bidders that is about to open."""

    async def make(suppliers: int = 2, **rules: Any) -> Arena:
        return await new_arena(live_server, new_buyer, new_supplier, suppliers, **rules)

    return make


@pytest.fixture
def hub(live_server: str, app: Application) -> Hub:
    """The hub of the running application."""
    live: Hub = app.litestar.state.living.live
    return live
