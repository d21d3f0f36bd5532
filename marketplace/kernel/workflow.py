"""The one workflow engine: what may happen to a thing in which state, by whom, and until when.

A workflow is a table of transitions (event, from, to, roles, guard, deadline, effect). Whoever uses
it loads the subject FOR UPDATE, calls `move`, and finds the new state in the subject; the history
row and the next deadline are written in the same transaction. What the table does not say cannot
happen: 409.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, Protocol, TypeVar
from uuid import UUID

import msgspec
import structlog
from sqlalchemy import ARRAY, Uuid, delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.kernel.actor import Actor
from marketplace.kernel.clock import Clock
from marketplace.kernel.db import SYSTEM, Base, Database
from marketplace.kernel.errors import Conflict, Forbidden, Problem
from marketplace.kernel.ids import new_id

HOUSE = "house"
"""The capacity of the house itself: deadlines, and what follows from other facts."""

FIRE_MAX = 500
RETRY_AFTER = timedelta(minutes=5)

_log = structlog.get_logger(__name__)


class Subject(Protocol):
    """What moves through a workflow: a row with these columns."""

    id: UUID
    state: str
    author_id: UUID


S = TypeVar("S", bound=Subject)


class Mover(msgspec.Struct, frozen=True):
    """Who moves, when, and in which capacities: texts such as `buyer.approver` or `house`.

    `sponsors` are the people to whom a mover owes the account or the role; None: not looked up.
    """

    now: datetime
    capacities: frozenset[str]
    user_id: UUID | None = None
    organisation_id: UUID | None = None
    reason: str | None = None
    sponsors: frozenset[UUID] | None = None


class Refusal(msgspec.Struct, frozen=True):
    """Why a guard says no."""

    code: str
    detail: str


def mover(actor: Actor, now: datetime, reason: str | None = None, **sides: UUID | None) -> Mover:
    """`mover(actor, now, buyer=tender.buyer_id)`: the actor's roles on each side it stands on."""
    held = [
        f"{side}.{role}"
        for side, organisation_id in sides.items()
        if organisation_id == actor.organisation_id
        for role in actor.roles
    ]
    return Mover(now, frozenset(held), actor.user_id, actor.organisation_id, reason)


def house(now: datetime, reason: str | None = None) -> Mover:
    return Mover(now, frozenset([HOUSE]), reason=reason)


@dataclass(frozen=True, kw_only=True)
class Deadline(Generic[S]):
    """When the subject has rested until then in the new state, `event` is fired by the house.

    Either `after` the move or `at` a time the subject tells (None: no deadline).
    """

    event: str
    after: timedelta | None = None
    at: Callable[[S], datetime | None] | None = None

    def due_at(self, subject: S, now: datetime) -> datetime | None:
        if self.at is not None:
            return self.at(subject)
        assert self.after is not None, "a deadline is `after` or `at`"
        return now + self.after


@dataclass(frozen=True, kw_only=True)
class Transition(Generic[S]):
    """One row of the table.

    roles       capacities of which one is needed
    guard       None, or why not; rows with the same event and state are tried in order, the first
                without a refusal is taken
    not_author  whoever wrote the subject may not do this (maker is not checker), nor may people
                whom the author invited or gave the role
    needs_reason  the mover must say why
    effect      called after the state changed, in the same transaction
    """

    event: str
    source: tuple[str, ...]
    target: str
    roles: frozenset[str]
    guard: Callable[[S, Mover], Refusal | None] | None = None
    deadline: Deadline[S] | None = None
    effect: Callable[[AsyncSession, S, Mover], Awaitable[None]] | None = None
    not_author: bool = False
    needs_reason: bool = False


@dataclass(frozen=True, kw_only=True)
class Workflow(Generic[S]):
    """A named table; `initial` is the state a new subject is born with."""

    name: str
    initial: str
    transitions: tuple[Transition[S], ...]

    def __post_init__(self) -> None:
        reached = {self.initial, *(row.target for row in self.transitions)}
        stray = {state for row in self.transitions for state in row.source} - reached
        assert not stray, f"{self.name}: nothing leads to {sorted(stray)}"
        for row in self.transitions:
            assert row.roles, f"{self.name}: nobody may {row.event}"
            assert row.deadline is None or self.hears(row.target, row.deadline.event), (
                f"{self.name}: {row.target} does not know its deadline {row.deadline.event}"
            )

    def hears(self, state: str, event: str) -> bool:
        return any(row.event == event and state in row.source for row in self.transitions)

    def events(self, state: str, capacities: frozenset[str]) -> list[str]:
        """What these capacities may try in this state: the buttons of a page."""
        found = [
            row.event
            for row in self.transitions
            if state in row.source and not row.roles.isdisjoint(capacities)
        ]
        return list(dict.fromkeys(found))

    @property
    def not_by_author(self) -> frozenset[str]:
        """What somebody else must do."""
        return frozenset(row.event for row in self.transitions if row.not_author)

    def choose(self, subject: S, event: str, by: Mover) -> Transition[S]:
        """The row that applies. Raises Forbidden (a role that may never do this, the own work) or
        Conflict (not in this state, or a guard's refusal).
        """
        rows = [row for row in self.transitions if row.event == event]
        if rows and all(row.roles.isdisjoint(by.capacities) for row in rows):
            raise Forbidden(
                "role_missing", f"Your roles do not allow to {plain_words(event)} this."
            )
        here = [row for row in rows if subject.state in row.source]
        here = [row for row in here if not row.roles.isdisjoint(by.capacities)]
        if not here:
            raise Conflict(
                "undefined_transition",
                f"What is {plain_words(subject.state)} cannot be moved by {plain_words(event)}.",
            )
        for row in here:
            refusal = row.guard(subject, by) if row.guard else None
            if refusal is None:
                _check_mover(row, subject, by)
                return row
        assert refusal is not None, "every row was refused"
        raise Conflict(refusal.code, refusal.detail)


def require_other_person(by: Mover, author_id: UUID) -> None:
    """That `by` may decide on the work of this author. Raises Forbidden (`own_work`,
    `not_independent`).
    """
    if by.user_id == author_id:
        raise Forbidden("own_work", "Somebody other than the author must decide this.")
    assert by.sponsors is not None, "the sponsors of who decides on another's work are looked up"
    if author_id in by.sponsors:
        raise Forbidden(
            "not_independent",
            "The author invited you or gave you the role: another colleague must decide this.",
        )


def _check_mover(row: Transition[S], subject: S, by: Mover) -> None:
    if row.not_author:
        require_other_person(by, subject.author_id)
    if row.needs_reason and not (by.reason or "").strip():
        raise Conflict("reason_missing", "This needs a reason.")


class WorkflowStep(Base):
    """History: one move, by whom and when. `parties` are the organisations that may read it."""

    __tablename__ = "workflow_steps"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    workflow: Mapped[str]
    subject_id: Mapped[UUID]
    event: Mapped[str]
    source: Mapped[str]
    target: Mapped[str]
    reason: Mapped[str | None]
    user_id: Mapped[UUID | None]
    organisation_id: Mapped[UUID | None]
    parties: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid))
    at: Mapped[datetime]


class WorkflowDeadline(Base):
    """Due work: fire `event` on the subject at `due_at`, unless it moves before."""

    __tablename__ = "workflow_deadlines"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    workflow: Mapped[str]
    subject_id: Mapped[UUID]
    event: Mapped[str]
    parties: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid))
    due_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)


async def move(
    session: AsyncSession,
    workflow: Workflow[S],
    subject: S,
    event: str,
    by: Mover,
    *,
    parties: Iterable[UUID],
) -> Transition[S]:
    """Move `subject`, which the caller holds FOR UPDATE; the row of the table that was taken.

    `parties` are the organisations that may read this step. Raises Forbidden or Conflict.
    """
    row = workflow.choose(subject, event, by)
    seen_by = list(dict.fromkeys(parties))
    session.add(
        WorkflowStep(
            id=new_id(),
            workflow=workflow.name,
            subject_id=subject.id,
            event=event,
            source=subject.state,
            target=row.target,
            reason=by.reason,
            user_id=by.user_id,
            organisation_id=by.organisation_id,
            parties=seen_by,
            at=by.now,
        )
    )
    subject.state = row.target
    await set_deadline(session, workflow, subject, row.deadline, by.now, seen_by)
    if row.effect is not None:
        await row.effect(session, subject, by)
    return row


async def set_deadline(
    session: AsyncSession,
    workflow: Workflow[S],
    subject: S,
    deadline: Deadline[S] | None,
    now: datetime,
    parties: Sequence[UUID],
) -> None:
    """Replace what the subject was due for. Called by `move`; alone when a due time was changed."""
    await session.execute(
        delete(WorkflowDeadline).where(
            WorkflowDeadline.workflow == workflow.name, WorkflowDeadline.subject_id == subject.id
        )
    )
    due_at = deadline.due_at(subject, now) if deadline else None
    if deadline is not None and due_at is not None:
        session.add(
            WorkflowDeadline(
                id=new_id(),
                workflow=workflow.name,
                subject_id=subject.id,
                event=deadline.event,
                parties=list(parties),
                due_at=due_at,
            )
        )
    await session.flush()


async def last_mover(
    session: AsyncSession, workflow: str, subject_id: UUID, target: str
) -> UUID | None:
    """The person who last moved the subject into `target`."""
    statement = (
        select(WorkflowStep.user_id)
        .where(WorkflowStep.workflow == workflow, WorkflowStep.subject_id == subject_id)
        .where(WorkflowStep.target == target, WorkflowStep.user_id.is_not(None))
        .order_by(WorkflowStep.id.desc())
        .limit(1)
    )
    return (await session.scalars(statement)).first()


async def history(session: AsyncSession, workflow: str, subject_id: UUID) -> Sequence[WorkflowStep]:
    """Every step of one subject that the session's organisation may read, oldest first."""
    statement = (
        select(WorkflowStep)
        .where(WorkflowStep.workflow == workflow, WorkflowStep.subject_id == subject_id)
        .order_by(WorkflowStep.id)
    )
    return (await session.execute(statement)).scalars().all()


Handler = Callable[[AsyncSession, UUID, str, datetime], Awaitable[None]]
"""`await handler(session, subject_id, event, now)`: load the subject and move it as the house."""


async def fire_due(database: Database, clock: Clock, handlers: Mapping[str, Handler]) -> int:
    """Fire what is due, each in a transaction of its own; how many. Safe on many workers at once.

    `handlers` is keyed by the workflow's name. What a handler refuses is tried again later, so one
    stubborn row never holds up the others.
    """
    for fired in range(FIRE_MAX):
        now = clock.now()
        due: Due | None = None
        try:
            async with database.transaction(SYSTEM) as session:
                due = await _claim(session, now, handlers)
                if due is None:
                    return fired
                await handlers[due.workflow](session, due.subject_id, due.event, now)
                await session.execute(delete(WorkflowDeadline).where(WorkflowDeadline.id == due.id))
        except Exception as error:
            if due is None:
                raise
            _log.warning("deadline_failed", workflow=due.workflow, transition=due.event)
            await _postpone(database, due.id, now)
            # A refusal is for people to solve; anything else is a fault that must be seen.
            if not isinstance(error, Problem):
                raise
    return FIRE_MAX


class Due(msgspec.Struct, frozen=True):
    """A claimed deadline; plain values, for the transaction that claimed it may roll back."""

    id: UUID
    workflow: str
    subject_id: UUID
    event: str


async def _claim(
    session: AsyncSession, now: datetime, handlers: Mapping[str, Handler]
) -> Due | None:
    statement = (
        select(
            WorkflowDeadline.id,
            WorkflowDeadline.workflow,
            WorkflowDeadline.subject_id,
            WorkflowDeadline.event,
        )
        .where(WorkflowDeadline.due_at <= now, WorkflowDeadline.workflow.in_(list(handlers)))
        .order_by(WorkflowDeadline.due_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    row = (await session.execute(statement)).one_or_none()
    return None if row is None else Due(*row)


async def _postpone(database: Database, deadline_id: UUID, now: datetime) -> None:
    async with database.transaction(SYSTEM) as session:
        await session.execute(
            update(WorkflowDeadline)
            .where(WorkflowDeadline.id == deadline_id)
            .values(due_at=now + RETRY_AFTER, attempts=WorkflowDeadline.attempts + 1)
        )


def plain_words(name: str) -> str:
    """`send_back` as people say it."""
    return name.replace("_", " ")
