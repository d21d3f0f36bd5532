"""Closes the sockets of logins that have ended: at once by a message, else by asking PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

import msgspec
import structlog
from sqlalchemy.exc import SQLAlchemyError

from auctions.live import queries
from auctions.live.member import Member
from marketplace.accounts.revocation import CHANNEL, Revoked
from marketplace.kernel.actor import SHUT_OUT
from marketplace.kernel.clock import Clock
from marketplace.kernel.db import SYSTEM, Database
from marketplace.kernel.outage_log import OUTAGES
from marketplace.kernel.redis import AnyRedis, Channels

ASK_EVERY_S = 1.0
"""A lost message and this together stay below two seconds."""

NOT_AUTHENTICATED, NOT_ADMITTED, DRAINING = 4401, 4403, 1012

_decoder = msgspec.json.Decoder(Revoked)
_log = structlog.get_logger(__name__)
Members = Callable[[], Iterable[Member]]


class Watchman:
    """`listen` and `ask` run for the life of the node."""

    def __init__(self, redis: AnyRedis, database: Database, clock: Clock, members: Members) -> None:
        self._database, self._clock = database, clock
        self._channels = Channels(redis, self._heard, where="hearing of revocations")
        self._members = members

    async def listen(self) -> None:
        await self._channels.add(CHANNEL)
        await self._channels.listen()

    def _heard(self, _: str, message: bytes) -> None:
        self.revoke(_decoder.decode(message))

    def revoke(self, revoked: Revoked) -> None:
        for member in tuple(self._members()):
            if _concerns(revoked, member):
                suspended = revoked.organisation_id is not None
                member.leave(
                    NOT_ADMITTED if suspended else NOT_AUTHENTICATED, "the login has ended"
                )

    async def ask(self) -> None:
        """One query for all logins of the node."""
        while True:
            await asyncio.sleep(ASK_EVERY_S)
            members = tuple(self._members())
            if not members:
                continue
            try:
                await self._compare(members)
            except (SQLAlchemyError, OSError, TimeoutError) as error:
                # Nothing can be bid while PostgreSQL is away; the next look comes in a second.
                OUTAGES.failed(error, where="looking at logins")

    async def _compare(self, members: tuple[Member, ...]) -> None:
        ids = {member.login for member in members if member.login is not None}
        async with self._database.transaction(SYSTEM) as session:
            standing = await queries.logins(session, ids, self._clock.now())
        for member in members:
            login = standing.get(member.login) if member.login is not None else None
            if login is None:
                member.leave(NOT_AUTHENTICATED, "the login has ended")
            elif login.state in SHUT_OUT:
                member.leave(NOT_ADMITTED, "the organisation is suspended")
            elif login.roles != member.actor.roles:
                # Come in again, and what is allowed is found out anew.
                member.leave(DRAINING, "the roles have changed")


def _concerns(revoked: Revoked, member: Member) -> bool:
    actor = member.actor
    return (
        (revoked.session_id is not None and revoked.session_id == actor.session_id)
        or (revoked.api_key_id is not None and revoked.api_key_id == actor.api_key_id)
        or (revoked.user_id is not None and revoked.user_id == actor.user_id)
        or (
            revoked.organisation_id is not None and revoked.organisation_id == actor.organisation_id
        )
    )
