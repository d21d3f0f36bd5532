"""Whether the process lives, whether it can commit and sequence, and its metrics."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import ipaddress
from typing import Any

import msgspec
import structlog
from litestar import Request, Response, get
from sqlalchemy import text

from marketplace.kernel.access import PUBLIC
from marketplace.kernel.db import SYSTEM, Database
from marketplace.kernel.errors import Forbidden, Unavailable
from marketplace.kernel.redis import AnyRedis
from marketplace.kernel.secret import is_right
from marketplace.kernel.settings import Settings
from web.metrics import MEDIA_TYPE, Metrics

READY_TIMEOUT_S = 2.0
ASK_AGAIN_S = 1.0
WRONG_SECRET = "MARKETPLACE_SECRET is not the one this database was set up with."  # noqa: S105  # a sentence
# Each writes: a replica, a full disk or a read-only server is up and yet not ready.
_COMMIT = text("SELECT pg_logical_emit_message(true, 'readyz', '')")
_SCRIPT = "return redis.call('SET', KEYS[1], ARGV[1], 'PX', 1000)"

_PASSED_ON = ("forwarded", "via", "x-forwarded-for", "x-real-ip")

_log = structlog.get_logger(__name__)


class Health(msgspec.Struct, frozen=True):
    status: str = "ok"


class Readiness:
    """Asks both servers behind this process to do what a bid needs."""

    def __init__(self, database: Database, redis: AnyRedis, secret: str) -> None:
        self._database = database
        self._redis = redis
        self._secret = secret
        self.leaving = False
        self.wrong_secret = False

    async def check(self) -> None:
        """Raises Unavailable: `not_ready` names which one does not answer, `wrong_secret` that
        nothing sealed can be opened here, `leaving` that this node is about to end.
        """
        if self.leaving:
            raise Unavailable("leaving", "This node is about to end.")
        await self._ask("PostgreSQL", self._commit)
        await self._ask("PostgreSQL", self._compare_secret)
        if self.wrong_secret:
            raise Unavailable("wrong_secret", WRONG_SECRET)
        await self._ask("Redis", self._sequence)

    async def compare_secret(self) -> None:
        """At the start, as soon as PostgreSQL answers, rather than at the first bid that fails."""
        while True:
            with contextlib.suppress(Unavailable):
                await self._ask("PostgreSQL", self._compare_secret)
                return
            await asyncio.sleep(ASK_AGAIN_S)

    async def _ask(self, name: str, question: object) -> None:
        try:
            async with asyncio.timeout(READY_TIMEOUT_S):
                await question()  # type: ignore[operator]
        except Exception as error:
            _log.warning("not_ready", server=name, error=type(error).__name__)
            raise Unavailable("not_ready", f"{name} does not answer.") from error

    async def _commit(self) -> None:
        async with self._database.transaction(SYSTEM) as session:
            await session.execute(_COMMIT)

    async def _compare_secret(self) -> None:
        pool = await self._database.pool(steady=True)
        async with pool.acquire() as connection:
            wrong = not await is_right(connection, self._secret)
        if wrong and not self.wrong_secret:
            _log.error("wrong_secret", reason=WRONG_SECRET)
        self.wrong_secret = wrong

    async def _sequence(self) -> None:
        await self._redis.eval(_SCRIPT, 1, "readyz", "1")


@get("/healthz", opt=PUBLIC, tags=["operation"])
async def healthz() -> Health:
    """The process lives."""
    return Health()


@get("/readyz", opt=PUBLIC, tags=["operation"])
async def readyz(readiness: Readiness) -> Health:
    """The process can commit in PostgreSQL and run a script in Redis."""
    await readiness.check()
    return Health("ready")


@get("/metrics", opt=PUBLIC, include_in_schema=False)
async def metrics_text(
    request: Request[Any, Any, Any], metrics: Metrics, settings: Settings
) -> Response[bytes]:
    """For the monitoring of the operator only: rates by route tell competitors a lot."""
    if not may_read_metrics(request, settings.metrics_token):
        raise Forbidden(
            "metrics_closed",
            "Metrics are for the own machine, or for the bearer of MARKETPLACE_METRICS_TOKEN.",
        )
    return Response(metrics.text(), media_type=MEDIA_TYPE)


def may_read_metrics(request: Request[Any, Any, Any], token: str) -> bool:
    """A configured token is needed from everywhere. Without one a caller on the own machine may,
    unless it says that it passes on somebody else's request.
    """
    if token:
        given = request.headers.get("authorization", "")
        return hmac.compare_digest(given.encode(), f"Bearer {token}".encode())
    if request.client is None or any(name in request.headers for name in _PASSED_ON):
        return False
    try:
        return ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        return False


HANDLERS = [healthz, readyz, metrics_text]
