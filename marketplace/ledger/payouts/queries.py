"""Every SELECT of payouts, and the statements that move many rows at once."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import exists, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from marketplace.kernel.pages import Page, Sorting
from marketplace.ledger.models import Accrual
from marketplace.ledger.payouts.models import (
    BankAccount,
    Payout,
    PayoutExport,
    PayoutItem,
    PayoutRun,
    PayoutTerms,
)

RUNS = Sorting(PayoutRun.id, created_at=PayoutRun.id, number=PayoutRun.number)
PAYOUTS = Sorting(
    Payout.id, default="number", number=Payout.number, amount=Payout.amount_minor, id=Payout.id
)
OWN_PAYOUTS = Sorting(Payout.id, created_at=Payout.id, amount=Payout.amount_minor)

_ONE_RUN_AT_A_TIME = text("SELECT pg_advisory_xact_lock(7316580024)")
_DUE = """SELECT a.id, a.beneficiary_id, a.asset, a.amount FROM accruals a
    WHERE a.payout_id IS NULL AND a.payable AND a.due_at <= :until
        AND (CAST(:currency AS text) IS NULL OR a.asset = :currency)"""
_GROUPED = """SELECT d.beneficiary_id, d.asset AS currency, sum(d.amount)::bigint AS amount,
    count(*)::integer AS items, coalesce(max(t.minimum_minor), 0)::bigint AS minimum
    FROM due d LEFT JOIN payout_terms t
        ON t.partner_id = d.beneficiary_id AND t.currency = d.asset
    GROUP BY d.beneficiary_id, d.asset"""
_GROUPS = text(f"WITH due AS ({_DUE}) {_GROUPED} ORDER BY beneficiary_id, currency")
# One statement, so one snapshot: what is summed is what is taken, whatever is accrued meanwhile.
_TAKE = text(
    f"""WITH due AS ({_DUE} FOR UPDATE), grouped AS ({_GROUPED}),
    proposed AS (
        SELECT row_number() OVER (ORDER BY beneficiary_id, currency)::integer AS number, g.*
        FROM grouped g WHERE amount > 0 AND amount >= minimum
    ), payout AS (
        INSERT INTO payouts (id, run_id, number, beneficiary_id, currency, amount_minor, items,
            state, author_id, holder, iban, bic, created_at)
        SELECT (CAST(:ids AS uuid[]))[p.number], :run_id, p.number, p.beneficiary_id, p.currency,
            p.amount, p.items, 'proposed', :author_id, b.holder, b.iban, b.bic, :now
        FROM proposed p LEFT JOIN bank_accounts b ON b.organisation_id = p.beneficiary_id
        RETURNING id, beneficiary_id, currency
    ), item AS (
        INSERT INTO payout_items (payout_id, accrual_id)
        SELECT p.id, d.id FROM payout p
        JOIN due d ON d.beneficiary_id = p.beneficiary_id AND d.asset = p.currency
    )
    UPDATE accruals a SET payout_id = p.id FROM payout p, due d
    WHERE d.id = a.id AND d.beneficiary_id = p.beneficiary_id AND d.asset = p.currency"""  # noqa: S608
)
_STEPS = text(
    """INSERT INTO workflow_steps (id, workflow, subject_id, event, source, target, user_id,
        organisation_id, parties, at)
    SELECT step_id, 'payout', subject_id, :event, 'proposed', :target, :user_id,
        CAST(:organisation_id AS uuid), ARRAY[CAST(:organisation_id AS uuid)], :now
    FROM unnest(CAST(:step_ids AS uuid[]), CAST(:subject_ids AS uuid[])) s (step_id, subject_id)"""
)


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """What is due to one partner in one currency. `amount` may be negative."""

    beneficiary_id: UUID
    currency: str
    amount: int
    items: int
    minimum: int


async def lock_runs(session: AsyncSession) -> None:
    """Until the transaction ends nobody else makes a run, so numbers have no gaps."""
    await session.execute(_ONE_RUN_AT_A_TIME)


async def next_number(session: AsyncSession) -> int:
    """In the lock of `lock_runs`."""
    return (await session.scalar(select(func.max(PayoutRun.number))) or 0) + 1


async def due_groups(session: AsyncSession, until: datetime, currency: str | None) -> list[Group]:
    """Everything unpaid that is due, by partner and currency."""
    rows = await session.execute(_GROUPS, {"until": until, "currency": currency})
    return [Group(**row) for row in rows.mappings()]


async def take_due(
    session: AsyncSession, run: PayoutRun, ids: Sequence[UUID], now: datetime
) -> None:
    """Propose a payout for each group that reaches its minimum. `ids` are at least as many as there
    are such groups.
    """
    values = {
        "until": run.until,
        "currency": run.currency,
        "ids": list(ids),
        "run_id": run.id,
        "author_id": run.author_id,
        "now": now,
    }
    await session.execute(_TAKE, values)


async def run(session: AsyncSession, run_id: UUID, *, lock: bool = False) -> PayoutRun | None:
    statement = select(PayoutRun).where(PayoutRun.id == run_id)
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    return (await session.scalars(statement)).first()


async def run_page(session: AsyncSession, page: Page) -> Sequence[PayoutRun]:
    return (await session.scalars(page.of(select(PayoutRun)))).all()


async def payout(session: AsyncSession, payout_id: UUID, *, lock: bool = False) -> Payout | None:
    statement = select(Payout).where(Payout.id == payout_id)
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    return (await session.scalars(statement)).first()


async def payouts(
    session: AsyncSession, run_id: UUID, states: Collection[str] = (), *, lock: bool = False
) -> Sequence[Payout]:
    """Of one run, by number."""
    statement = select(Payout).where(Payout.run_id == run_id).order_by(Payout.number)
    if states:
        statement = statement.where(Payout.state.in_(states))
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    return (await session.scalars(statement)).all()


async def payout_page(
    session: AsyncSession, page: Page, run_id: UUID | None, partner: UUID | None = None
) -> Sequence[Payout]:
    """Of one run or of one partner, or everything the session may see."""
    statement = page.of(select(Payout))
    if run_id is not None:
        statement = statement.where(Payout.run_id == run_id)
    if partner is not None:
        statement = statement.where(Payout.beneficiary_id == partner)
    return (await session.scalars(statement)).all()


class Total(msgspec.Struct, frozen=True):
    currency: str
    amount: int
    count: int


async def totals(session: AsyncSession, run_ids: Collection[UUID]) -> dict[UUID, list[Total]]:
    """Sum and number of the payouts of each run by currency; cancelled ones do not count."""
    statement = (
        select(Payout.run_id, Payout.currency, func.sum(Payout.amount_minor), func.count())
        .where(Payout.run_id.in_(list(run_ids)), Payout.state != "cancelled")
        .group_by(Payout.run_id, Payout.currency)
        .order_by(Payout.currency)
    )
    found: dict[UUID, list[Total]] = {}
    for run_id, currency, amount, count in await session.execute(statement):
        found.setdefault(run_id, []).append(Total(currency, int(amount), count))
    return found


async def give_back(session: AsyncSession, payout_ids: Collection[UUID]) -> None:
    """The accruals of these payouts are payable again."""
    statement = update(Accrual).where(Accrual.payout_id.in_(list(payout_ids)))
    await session.execute(statement.values(payout_id=None))


async def set_states(
    session: AsyncSession, payout_ids: Collection[UUID], state: str, *, announced: bool
) -> None:
    statement = update(Payout).where(Payout.id.in_(list(payout_ids)))
    await session.execute(statement.values(state=state, announced=announced))


async def add_steps(
    session: AsyncSession,
    payout_ids: Sequence[UUID],
    step_ids: Sequence[UUID],
    event: str,
    target: str,
    user_id: UUID | None,
    organisation_id: UUID | None,
    now: datetime,
) -> None:
    """The history of many payouts that a run moved together; the operator reads it."""
    values = {
        "step_ids": list(step_ids),
        "subject_ids": list(payout_ids),
        "event": event,
        "target": target,
        "user_id": user_id,
        "organisation_id": organisation_id,
        "now": now,
    }
    await session.execute(_STEPS, values)


async def items(session: AsyncSession, payout_id: UUID) -> Sequence[Accrual]:
    """In the order of the ledger; also those of a payout that failed."""
    statement = (
        select(Accrual)
        .join(PayoutItem, PayoutItem.accrual_id == Accrual.id)
        .where(PayoutItem.payout_id == payout_id)
        .order_by(Accrual.number)
    )
    return (await session.scalars(statement)).all()


async def unannounced(session: AsyncSession, limit: int) -> Sequence[Payout]:
    """Approved payouts whose partners were not notified, the oldest first; each is taken by one
    worker at a time.
    """
    statement = (
        select(Payout)
        .where(Payout.announced.is_(False))
        .order_by(Payout.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return (await session.scalars(statement)).all()


async def bank_account(session: AsyncSession, organisation_id: UUID) -> BankAccount | None:
    return await session.get(BankAccount, organisation_id)


async def payout_terms(
    session: AsyncSession, partner_id: UUID, currency: str
) -> PayoutTerms | None:
    return await session.get(PayoutTerms, (partner_id, currency))


async def export(session: AsyncSession, run_id: UUID, form: str) -> PayoutExport | None:
    return await session.get(PayoutExport, (run_id, form))


class Former(msgspec.Struct, frozen=True):
    """paid    whether the partner was ever paid before
    iban    to which account the last payment went
    amount  the last one in the same currency; None: the first
    """

    paid: bool
    iban: str | None
    amount: int | None


_FORMER = text(
    """SELECT f.id IS NOT NULL AS paid, f.iban, l.amount_minor AS amount
    FROM unnest(CAST(:partners AS uuid[]), CAST(:currencies AS text[]), CAST(:befores AS uuid[]))
        WITH ORDINALITY a (partner, currency, before, place)
    LEFT JOIN LATERAL (SELECT id, iban FROM payouts WHERE beneficiary_id = a.partner
        AND (a.before IS NULL OR id < a.before) AND state IN ('approved', 'paid')
        ORDER BY id DESC LIMIT 1) f ON true
    LEFT JOIN LATERAL (SELECT amount_minor FROM payouts WHERE beneficiary_id = a.partner
        AND currency = a.currency
        AND (a.before IS NULL OR id < a.before) AND state IN ('approved', 'paid')
        ORDER BY id DESC LIMIT 1) l ON true
    ORDER BY a.place"""
)


async def former(
    session: AsyncSession, asked: Sequence[tuple[UUID, str, UUID | None]]
) -> list[Former]:
    """What went to a partner, in a currency, before a payout (None: until now), as asked."""
    values = {
        "partners": [each[0] for each in asked],
        "currencies": [each[1] for each in asked],
        "befores": [each[2] for each in asked],
    }
    return [Former(**row) for row in (await session.execute(_FORMER, values)).mappings()]


async def run_before(session: AsyncSession, of: PayoutRun) -> PayoutRun | None:
    """The last approved run before this one that paid the same currencies."""
    statement = (
        select(PayoutRun)
        .where(PayoutRun.id < of.id, PayoutRun.state == "approved")
        .where(PayoutRun.currency.is_not_distinct_from(of.currency))
        .order_by(PayoutRun.id.desc())
        .limit(1)
    )
    return (await session.scalars(statement)).first()


async def only_before(
    session: AsyncSession, run_id: UUID, before_id: UUID, limit: int
) -> Sequence[Payout]:
    """Payouts of the run before whose partner gets nothing in that currency this time."""
    now = aliased(Payout)
    again = exists().where(
        now.run_id == run_id,
        now.beneficiary_id == Payout.beneficiary_id,
        now.currency == Payout.currency,
    )
    statement = select(Payout).where(Payout.run_id == before_id, ~again).order_by(Payout.number)
    return (await session.scalars(statement.limit(limit))).all()
