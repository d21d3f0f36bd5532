"""The workflow engine: what the table says happens, everything else is refused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.kernel.actor import Actor
from marketplace.kernel.clock import Clock
from marketplace.kernel.db import SYSTEM, Database
from marketplace.kernel.diagrams import mermaid
from marketplace.kernel.errors import Conflict, Forbidden
from marketplace.kernel.ids import OrganisationId, UserId, new_id
from marketplace.kernel.workflow import (
    HOUSE,
    Deadline,
    Mover,
    Refusal,
    Transition,
    Workflow,
    fire_due,
    history,
    house,
    move,
    mover,
)
from web import diagrams

NOW = datetime(2026, 5, 1, tzinfo=UTC)
WRITER, CHECKER = new_id(), new_id()


class Parcel:
    """Something with a state."""

    def __init__(self, state: str = "packed", *, heavy: bool = False) -> None:
        self.id, self.state, self.author_id, self.heavy = new_id(), state, WRITER, heavy
        self.told: list[str] = []


def is_light(parcel: Parcel, by: Mover) -> Refusal | None:
    return Refusal("too_heavy", "Two people carry this.") if parcel.heavy else None


async def tell(session: AsyncSession, parcel: Parcel, by: Mover) -> None:
    parcel.told.append(parcel.state)


SENDER = frozenset(["sender.clerk"])
PARCELS = Workflow[Parcel](
    name="parcel",
    initial="packed",
    transitions=(
        Transition(
            event="send",
            source=("packed",),
            target="sent",
            roles=SENDER,
            guard=is_light,
            deadline=Deadline(event="lose", after=timedelta(days=3)),
            effect=tell,
        ),
        Transition(
            event="send",
            source=("packed",),
            target="checked",
            roles=SENDER,
            needs_reason=True,
        ),
        Transition(
            event="release",
            source=("checked",),
            target="sent",
            roles=frozenset(["sender.boss"]),
            not_author=True,
        ),
        Transition(event="lose", source=("sent",), target="lost", roles=frozenset([HOUSE])),
        Transition(
            event="arrive", source=("sent", "lost"), target="there", roles=frozenset(["taker.any"])
        ),
    ),
)


def clerk(reason: str | None = None) -> Mover:
    return Mover(NOW, SENDER, WRITER, None, reason)


def test_a_row_whose_guard_refuses_leaves_the_next_one() -> None:
    assert PARCELS.choose(Parcel(), "send", clerk()).target == "sent"
    assert PARCELS.choose(Parcel(heavy=True), "send", clerk("For a feast")).target == "checked"


def test_what_the_table_does_not_say_cannot_happen() -> None:
    with pytest.raises(Conflict) as told:
        PARCELS.choose(Parcel("sent"), "send", clerk())
    assert told.value.code == "undefined_transition"
    with pytest.raises(Conflict):
        PARCELS.choose(Parcel(), "explode", clerk())


def test_a_guard_without_an_alternative_says_why() -> None:
    strict = Workflow[Parcel](
        name="strict",
        initial="packed",
        transitions=PARCELS.transitions[:1] + PARCELS.transitions[3:],
    )
    with pytest.raises(Conflict) as told:
        strict.choose(Parcel(heavy=True), "send", clerk())
    assert told.value.code == "too_heavy"


def test_roles_reasons_and_second_eyes_are_asked_for() -> None:
    with pytest.raises(Forbidden) as told:
        PARCELS.choose(Parcel("sent"), "arrive", clerk())
    assert told.value.code == "role_missing"
    with pytest.raises(Conflict) as missing:
        PARCELS.choose(Parcel(heavy=True), "send", clerk("  "))
    assert missing.value.code == "reason_missing"
    boss = frozenset(["sender.boss"])
    with pytest.raises(Forbidden) as own:
        PARCELS.choose(Parcel("checked"), "release", Mover(NOW, boss, WRITER))
    assert own.value.code == "own_work"
    checker = Mover(NOW, boss, CHECKER, sponsors=frozenset())
    assert PARCELS.choose(Parcel("checked"), "release", checker).target == "sent"


def test_whom_the_author_brought_in_is_no_second_pair_of_eyes() -> None:
    boss = frozenset(["sender.boss"])
    with pytest.raises(Forbidden) as bound:
        PARCELS.choose(
            Parcel("checked"), "release", Mover(NOW, boss, CHECKER, sponsors=frozenset([WRITER]))
        )
    assert bound.value.code == "not_independent"
    with pytest.raises(AssertionError, match="sponsors"):
        PARCELS.choose(Parcel("checked"), "release", Mover(NOW, boss, CHECKER))


def test_capacities_are_the_roles_on_each_side_one_stands_on() -> None:
    actor = Actor(
        user_id=UserId(WRITER),
        organisation_id=OrganisationId(CHECKER),
        roles=frozenset(["approver"]),
        capabilities=frozenset(),
    )
    by = mover(actor, NOW, buyer=CHECKER, supplier=WRITER)
    assert by.capacities == {"buyer.approver"}
    assert house(NOW).capacities == {HOUSE}


def test_the_buttons_of_a_page_are_what_the_capacities_may_try() -> None:
    assert PARCELS.events("packed", SENDER) == ["send"]
    assert PARCELS.events("sent", SENDER | {HOUSE}) == ["lose"]


@pytest.mark.parametrize(
    "rows",
    [
        (Transition[Parcel](event="x", source=("nowhere",), target="a", roles=SENDER),),
        (Transition[Parcel](event="x", source=("packed",), target="a", roles=frozenset()),),
        (
            Transition[Parcel](
                event="x",
                source=("packed",),
                target="a",
                roles=SENDER,
                deadline=Deadline(event="unheard", after=timedelta(1)),
            ),
        ),
    ],
)
def test_an_impossible_table_is_refused_at_import(rows: tuple[Transition[Parcel], ...]) -> None:
    with pytest.raises(AssertionError):
        Workflow[Parcel](name="bad", initial="packed", transitions=rows)


def test_the_diagram_is_the_table() -> None:
    drawn = mermaid(PARCELS)
    assert "[*] --> packed" in drawn
    assert "packed --> sent: send / by sender.clerk / if is light / then lose after 72 h" in drawn
    assert "checked --> sent: release / by sender.boss / not the author" in drawn
    assert "there --> [*]" in drawn


def test_the_documented_diagrams_are_those_of_the_tables(repository: Path) -> None:
    written = (repository / "docs" / "workflows.md").read_text()
    assert written == diagrams.document(), "run python -m web.diagrams"


class LateClock(Clock):
    def now(self) -> datetime:
        return NOW + timedelta(days=4)


@pytest.fixture(autouse=True)
async def _clean(request: pytest.FixtureRequest) -> AsyncIterator[None]:
    yield
    if "database" in request.fixturenames:
        database: Database = request.getfixturevalue("database")
        async with database.transaction(SYSTEM) as session:
            await session.execute(text("DELETE FROM workflow_deadlines WHERE workflow = 'parcel'"))


async def sent(database: Database) -> Parcel:
    parcel = Parcel()
    async with database.transaction(SYSTEM) as session:
        await move(session, PARCELS, parcel, "send", clerk(), parties=[CHECKER, CHECKER])
    return parcel


async def test_a_move_writes_history_and_calls_the_effect(database: Database) -> None:
    parcel = await sent(database)
    assert (parcel.state, parcel.told) == ("sent", ["sent"])
    async with database.transaction(SYSTEM) as session:
        steps = await history(session, "parcel", parcel.id)
    assert [(s.event, s.source, s.target, s.user_id, s.at, s.parties) for s in steps] == [
        ("send", "packed", "sent", WRITER, NOW, [CHECKER])
    ]


async def test_only_the_parties_read_the_history_and_nobody_rewrites_it(
    database: Database,
) -> None:
    parcel = await sent(database)
    seen = {}
    for organisation_id in (CHECKER, WRITER):
        actor = Actor(
            user_id=UserId(WRITER),
            organisation_id=OrganisationId(organisation_id),
            roles=frozenset(),
            capabilities=frozenset(),
        )
        async with database.transaction(actor) as session:
            seen[organisation_id] = len(await history(session, "parcel", parcel.id))
    assert seen == {CHECKER: 1, WRITER: 0}
    async with database.transaction(SYSTEM) as session:
        gone = await session.execute(text("DELETE FROM workflow_steps RETURNING id"))
        assert gone.first() is None


async def test_a_deadline_fires_once_on_however_many_workers(database: Database) -> None:
    parcel = await sent(database)
    fired: list[tuple[UUID, str]] = []

    async def lose(session: AsyncSession, subject_id: UUID, event: str, now: datetime) -> None:
        fired.append((subject_id, event))
        await move(session, PARCELS, parcel, event, house(now), parties=[CHECKER])

    assert await fire_due(database, Clock(), {"other": lose}) == 0
    both = await asyncio.gather(
        *(fire_due(database, LateClock(), {"parcel": lose}) for _ in range(2))
    )
    assert sum(both) == 1
    assert fired == [(parcel.id, "lose")]
    assert parcel.state == "lost"


async def test_a_move_takes_the_old_deadline_away(database: Database) -> None:
    parcel = await sent(database)
    async with database.transaction(SYSTEM) as session:
        taker = Mover(NOW, frozenset(["taker.any"]))
        await move(session, PARCELS, parcel, "arrive", taker, parties=[])
    assert await fire_due(database, LateClock(), {"parcel": refuse}) == 0


async def refuse(session: AsyncSession, subject_id: UUID, event: str, now: datetime) -> None:
    raise Conflict("not_now", "Later.")


async def test_what_is_refused_is_tried_again_later_and_holds_up_nobody(
    database: Database,
) -> None:
    await sent(database)
    await sent(database)
    assert await fire_due(database, LateClock(), {"parcel": refuse}) == 2
    async with database.transaction(SYSTEM) as session:
        rows = await session.execute(
            text(
                "SELECT attempts, due_at > :then FROM workflow_deadlines WHERE workflow = 'parcel'"
            ),
            {"then": LateClock().now()},
        )
        assert [tuple(row) for row in rows] == [(1, True), (1, True)]


async def test_a_fault_is_seen_and_still_holds_up_nobody(database: Database) -> None:
    await sent(database)

    async def broken(session: AsyncSession, subject_id: UUID, event: str, now: datetime) -> None:
        raise RuntimeError("a bug")

    with pytest.raises(RuntimeError):
        await fire_due(database, LateClock(), {"parcel": broken})
    assert await fire_due(database, LateClock(), {"parcel": broken}) == 0
