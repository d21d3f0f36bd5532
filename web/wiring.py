"""Which parts make up one process: what lives as long as it, who answers which address, who listens
to which fact, which jobs run when. The one file that knows every floor.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from litestar import Litestar
from litestar.datastructures import State
from litestar.di import Provide
from litestar.types import ControllerRouterHandler

from marketplace.accounts import api as accounts_api
from marketplace.accounts.gate import Gate
from marketplace.accounts.passwords import Passwords
from marketplace.accounts.revocation import Revocations
from marketplace.accounts.service.logins import Doorman, LoginLimits
from marketplace.accounts.totp import Totp
from marketplace.kernel.clock import Clock
from marketplace.kernel.db import Database
from marketplace.kernel.facts import Facts
from marketplace.kernel.idempotency import Answers
from marketplace.kernel.redis import connect
from marketplace.kernel.sealing import Sealer
from marketplace.kernel.settings import Settings
from web import health
from web.auth import provide_actor, provide_visitor
from web.transaction import provide_session

HANDLERS: list[ControllerRouterHandler] = [
    *health.HANDLERS,
    *accounts_api.CONTROLLERS,
]
"""Everything that answers: controllers, WebSocket handlers, pages. Add a feature's list here."""


@asynccontextmanager
async def living(
    app: Litestar, settings: Settings, clock: Clock, limits: LoginLimits
) -> AsyncIterator[None]:
    """What lives as long as the process. Each is put on `app.state`; name it in DEPENDENCIES and
    handlers may ask for it. Nothing is contacted here: a node starts while its servers are down.
    """
    state = app.state
    state.settings, state.clock, state.facts = settings, clock, subscribed()
    state.database = Database(settings.database_url, pool_size=settings.database_pool_size)
    state.redis = connect(settings.redis_url)
    state.readiness = health.Readiness(state.database, state.redis)
    state.gate = Gate(state.database, settings, clock)
    state.revocations = Revocations(state.redis, state.gate)
    state.passwords = Passwords()
    state.totp = Totp(Sealer(settings.secret, "totp"), clock, "Marketplace")
    state.doorman = Doorman(clock, state.redis, state.passwords, state.totp, limits)
    state.answers = Answers(Sealer(settings.secret, "idempotency"), clock)
    try:
        yield
    finally:
        await state.redis.aclose()
        await state.database.close()


def subscribed() -> Facts:
    """Who listens to what happens on lower floors."""
    return Facts()


def _living(name: str) -> Provide:
    def provide(state: State) -> Any:
        return getattr(state, name)

    return Provide(provide, sync_to_thread=False)


DEPENDENCIES: dict[str, Provide] = {
    "session": Provide(provide_session),
    "actor": Provide(provide_actor),
    "visitor": Provide(provide_visitor),
} | {
    name: _living(name)
    for name in (
        "settings",
        "clock",
        "facts",
        "metrics",
        "database",
        "readiness",
        "gate",
        "revocations",
        "passwords",
        "totp",
        "doorman",
    )
}
"""What a handler may ask for by name."""
