"""Is this receipt, or this transcript, genuine? Open to everybody, without a login."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.response import Template
from redis.exceptions import RedisError

from auctions.book.journal import Journal
from auctions.book.proofs import WrongProof, read_proofs
from auctions.book.receipts import public_keys
from auctions.book.verify import Verdict, WrongLine
from auctions.live.checking import Checked, check_proofs, check_transcript, in_log
from auctions.live.hub import Hub
from marketplace.accounts.addresses import SITE_BITS, network_of
from marketplace.accounts.api.common import client_address
from marketplace.kernel.access import PUBLIC, PUBLIC_ONCE
from marketplace.kernel.actor import Actor
from marketplace.kernel.clock import Clock, from_micros
from marketplace.kernel.db import Database
from marketplace.kernel.errors import TooFast, Unavailable
from marketplace.kernel.redis import AnyRedis
from marketplace.kernel.throttle import Rate, take
from web.pages.forms import read_form
from web.pages.render import AnyRequest, Viewer, page, viewer_of

FILE_BYTES_MAX = 16 * 1024 * 1024
"""About 20,000 commands. A longer log is for `marketplace verify`: it would keep a node busy."""
CHECKS = Rate(per_s=1, burst=30)
"""Of one site: a check of a long transcript costs a second of a processor."""
CHECK_TIMEOUT_S = 60
STANDING_SHOWN = 10

_one_at_a_time = asyncio.Semaphore(1)
"""A process checks one file at a time: more would slow down the bids that it decides meanwhile."""


class VerifyPage(Controller):
    path = "/verify"

    @get("/", opt=PUBLIC)
    async def form(
        self, request: AnyRequest, database: Database, visitor: Actor | None
    ) -> Template:
        return _page(request, await _viewer(database, visitor))

    @post("/", opt=PUBLIC_ONCE, status_code=200, request_max_body_size=FILE_BYTES_MAX)
    async def check(
        self,
        request: AnyRequest,
        database: Database,
        live: Hub,
        clock: Clock,
        visitor: Actor | None,
    ) -> Response[Any]:
        """Of a pasted text (a form) or of a file (any other body)."""
        await _admit(request)
        who = await _viewer(database, visitor)
        content = await _content(request)
        try:
            async with asyncio.timeout(CHECK_TIMEOUT_S), _one_at_a_time:
                found = await _verdict(live, database, clock, visitor, content)
        except TimeoutError:
            raise Unavailable("too_busy", "Other files are being checked.") from None
        pasted = content.decode("utf-8", "replace") if _is_form(request) else ""
        return _page(request, who, text=pasted, **found)


async def _verdict(
    live: Hub, database: Database, clock: Clock, visitor: Actor | None, content: bytes
) -> dict[str, Any]:
    """What the template shows: `checked` receipts, the `verdict` on a transcript, or what is
    `wrong`.
    """
    if not content.strip():
        return {"wrong": "empty"}
    try:
        proofs = read_proofs(content)
    except WrongProof as wrong:
        return {"wrong": wrong.fault, "reason": wrong.reason}
    if proofs is not None:
        return {"checked": await check_proofs(live, database, visitor, proofs)}
    if b'"header"' not in content[:100_000]:
        return {"wrong": "unreadable"}
    await live.signer()
    pool = await database.pool()
    try:
        verdict = await check_transcript(clock, content, await public_keys(pool))
    except WrongLine as wrong:
        return {"wrong": "line", "line": wrong.number, "reason": wrong.reason}
    fault = ""
    if verdict.commands:
        fault = await in_log(Journal(pool), verdict.auction, verdict.commands, verdict.chain)
    return {"verdict": verdict, "fault": fault}


async def _content(request: AnyRequest) -> bytes:
    """Raises TooLarge. A pasted transcript ends with a line end again."""
    if not _is_form(request):
        return await request.body()
    text = (await read_form(request)).one("text")
    return f"{text}\n".encode() if text else b""


def _is_form(request: AnyRequest) -> bool:
    kind = request.headers.get("content-type", "")
    return kind.startswith("application/x-www-form-urlencoded")


async def _admit(request: AnyRequest) -> None:
    """Raises TooFast, Unavailable."""
    redis: AnyRedis = request.app.state.living.redis
    key = f"throttle:verify:{network_of(client_address(request), SITE_BITS)}"
    try:
        wait_s = await take(redis, key, CHECKS.per_s, CHECKS.burst)
    except RedisError as error:
        raise Unavailable from error
    if wait_s is not None:
        raise TooFast(retry_after_s=max(1, round(wait_s)))


async def _viewer(database: Database, visitor: Actor | None) -> Viewer | None:
    if visitor is None:
        return None
    async with database.transaction(visitor) as session:
        return await viewer_of(session, visitor)


def _page(
    request: AnyRequest,
    who: Viewer | None,
    *,
    text: str = "",
    checked: list[Checked] | None = None,
    verdict: Verdict | None = None,
    fault: str = "",
    wrong: str = "",
    line: int = 0,
    reason: str = "",
) -> Template:
    return page(
        request,
        "verify.html",
        viewer=who,
        status=422 if wrong else 200,
        text=text,
        checked=checked,
        verdict=verdict,
        standing=verdict.standing[:STANDING_SHOWN] if verdict else [],
        close_at=from_micros(verdict.close_at_us) if verdict and verdict.close_at_us else None,
        own_link=_own_link(verdict),
        fault=fault,
        wrong=wrong,
        line=line,
        reason=reason,
        file_mb=FILE_BYTES_MAX // (1024 * 1024),
    )


def _own_link(verdict: Verdict | None) -> UUID | None:
    try:
        return UUID(verdict.auction) if verdict else None
    except ValueError:
        return None
