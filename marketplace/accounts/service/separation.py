"""Separation of duties: who may be the other person where one must not decide alone.

An own second account would satisfy "somebody other than the author", so a person's sponsors count
too: who invited it, and who gave it the role it acts by.

- Whoever approves the work of another must not be sponsored by the author. The author may be
  sponsored by the approver: a superior may have hired whom it controls.
- Two people who open something together are equals: neither may be a sponsor of the other, and
  both must have held the role before the moment from which opening was possible.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts import queries
from marketplace.accounts.queries import RoleHolder
from marketplace.kernel.actor import Actor
from marketplace.kernel.workflow import Mover, Refusal

_TOO_NEW = "Each of the two has held a role for it since before it became possible."
_NOT_INDEPENDENT = "One of you two invited the other or gave the role: another colleague must act."


async def with_sponsors(session: AsyncSession, by: Mover, *roles: str) -> Mover:
    """`by`, ready to decide on the work of others in one of `roles`: a transition that is not for
    the author refuses one without.
    """
    assert by.user_id is not None, "a person decides"
    return msgspec.structs.replace(by, sponsors=await queries.sponsors(session, by.user_id, roles))


async def barred_authors(session: AsyncSession, actor: Actor, *roles: str) -> frozenset[UUID]:
    """Whose work the caller must not decide on in one of `roles`: the own and that of sponsors."""
    return await queries.sponsors(session, actor.user_id, roles) | {actor.user_id}


class Pairing(msgspec.Struct, frozen=True, kw_only=True):
    """Who may act together: the holders of a role, and the moment before which they must have held
    it.
    """

    holders: Mapping[UUID, RoleHolder]
    before: datetime

    def objection(self, user_id: UUID, others: Collection[UUID]) -> Refusal | None:
        """Why this person may not act beside `others`; None where it may."""
        one = self.holders.get(user_id)
        if one is None or one.held_since is None or one.held_since >= self.before:
            return Refusal("role_too_new", _TOO_NEW)
        for other_id in others:
            other = self.holders.get(other_id)
            if other_id in one.sponsors or (other and user_id in other.sponsors):
                return Refusal("not_independent", _NOT_INDEPENDENT)
        return None

    def partners(self, user_id: UUID) -> frozenset[UUID]:
        """Who may act beside this person."""
        return frozenset(
            other
            for other in self.holders
            if other != user_id and self.objection(other, [user_id]) is None
        )


async def pairing(
    session: AsyncSession, organisation_id: UUID, roles: Collection[str], before: datetime
) -> Pairing:
    """For an act that takes two people with one of `roles`, possible from `before` on."""
    holders = await queries.role_holders(session, organisation_id, roles, before)
    return Pairing(holders=holders, before=before)
