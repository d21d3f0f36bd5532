"""A hierarchy of organisations with totals, and seats with open invitations."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts import network_queries as network
from marketplace.accounts.models import ColleagueInvitation, Entitlement, User
from marketplace.accounts.passwords import Passwords
from marketplace.accounts.schemas import Acceptance, NewColleague
from marketplace.accounts.service import colleagues, hierarchy
from marketplace.kernel.actor import Actor
from marketplace.kernel.clock import Clock
from marketplace.kernel.db import SYSTEM, Database
from marketplace.kernel.errors import Gone, NotFound, Problem
from marketplace.kernel.facts import Facts
from marketplace.kernel.ids import new_id
from suppliers.programme.rules import totals_of
from tests.people import unique
from tests.vectors.cases import Case
from tests.vectors.partners import BEGINNING, actor, organisation, person

NODES_MAX = 1_000


async def run(case: Case) -> dict[str, Any]:
    async with case.world.shared() as database:
        if case.input["kind"] == "hierarchy":
            async with database.session(SYSTEM) as session:
                return await _hierarchy(session, case.input)
        return await Seats(database).run(case.input)


async def _hierarchy(session: AsyncSession, asked: dict[str, Any]) -> dict[str, Any]:
    operator_id = await organisation(session, operator=True)
    operator = await actor(session, operator_id, "channel_manager", operator=True)
    ids = {name: await organisation(session) for name in asked["nodes"]}
    names = {each: name for name, each in ids.items()}
    refused = []
    for number, step in enumerate(asked["steps"]):
        child = ids.get(step["child"], new_id())
        parent = step["parent"] and ids.get(step["parent"], new_id())
        try:
            async with session.begin_nested():
                await hierarchy.set_parent(session, Clock(), operator, child, parent)
        except NotFound:
            refused.append({"step": number, "code": "unknown"})
        except Problem as problem:
            refused.append({"step": number, "code": problem.code})
    own = {each: asked["own"].get(name, 0) for name, each in ids.items()}
    totals, paths = {}, {}
    for name, each in ids.items():
        nodes = await network.subtree(session, each, NODES_MAX)
        totals[name] = totals_of([(node.id, node.parent_id) for node in nodes], own)[each]
        shown = await hierarchy.show(session, operator, each)
        paths[name] = [names[node.id] for node in shown.path]
    return {"refused": refused, "totals": totals, "paths": paths}


class Seats:
    """One organisation that people are invited into, join and leave."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._invitations: dict[str, UUID] = {}
        self._tokens: dict[str, str] = {}
        self._away: list[UUID] = []

    async def run(self, asked: dict[str, Any]) -> dict[str, Any]:
        async with self._database.transaction(SYSTEM) as session:
            self._id = await organisation(session)
            session.add(
                Entitlement(organisation_id=self._id, seats=asked["seats"], updated_at=BEGINNING)
            )
            # Members of the case: the first of them is the administrator that does everything.
            self._admin: Actor = await actor(session, self._id, "admin", "partner_manager")
            for _ in range(asked["members"] - 1):
                await person(session, self._id, "observer")
            joins = sum(step["do"] == "join" for step in asked["steps"])
            for _ in range(joins):
                one = await person(session, self._id, "observer", disabled_at=BEGINNING)
                self._away.append(one)
        refused = []
        for number, step in enumerate(asked["steps"]):
            code = await self._tried(step)
            if code is not None:
                refused.append({"step": number, "code": code})
        async with self._database.transaction(SYSTEM) as session:
            used = await network.seats_used(session, self._id, datetime.now(UTC))
            members = await session.scalar(
                select(func.count())
                .select_from(User)
                .where(User.organisation_id == self._id, User.disabled_at.is_(None))
            )
        return {"used": used, "members": members, "refused": refused}

    async def _tried(self, step: dict[str, Any]) -> str | None:
        try:
            async with self._database.transaction(SYSTEM) as session:
                await self._do(session, step)
        except (Gone, NotFound):
            return "gone"
        except Problem as problem:
            return problem.code
        return None

    async def _do(self, session: AsyncSession, step: dict[str, Any]) -> None:
        name = step.get("id", "")
        match step["do"]:
            case "invite":
                address = f"{unique('invited')}@example.com"
                new = NewColleague(email=address, roles=["observer"])
                issued, path = await colleagues.invite(session, Clock(), Facts(), self._admin, new)
                self._invitations[name] = issued.id
                self._tokens[name] = path.rpartition("/")[2]
            case "accept":
                token = self._tokens.get(name, "never-sent")
                taken = Acceptance(name="Colleague", password="correct horse battery")
                await colleagues.accept(session, Clock(), Passwords(), token, taken)
            case "revoke":
                await colleagues.withdraw(session, self._admin, self._invitations[name])
            case "expire":
                await session.execute(
                    update(ColleagueInvitation)
                    .where(ColleagueInvitation.id == self._invitations[name])
                    .values(expires_at=datetime.now(UTC) - timedelta(seconds=1))
                )
            case "join":
                await colleagues.enable(session, Clock(), self._admin, self._away.pop())
            case "leave":
                left = await session.scalars(
                    select(User).where(
                        User.organisation_id == self._id,
                        User.disabled_at.is_(None),
                        User.id != self._admin.user_id,
                    )
                )
                one = left.first()
                assert one is not None, "somebody is there to leave"
                one.disabled_at = datetime.now(UTC)
            case "lower":
                row = await network.entitlement(session, self._id)
                assert row is not None, "it was set at the beginning"
                row.seats = step["seats"]
            case other:
                raise AssertionError(f"a step cannot be {other}")
