"""Every SELECT of acts, and the statement that issues a batch of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.kernel.pages import Page, Sorting
from marketplace.ledger.acts.models import Act, ActFile, ActLine, ActRun, BillingTerms
from marketplace.ledger.models import Accrual, LedgerEntry

RUNS = Sorting(ActRun.id, default="-period", period=ActRun.period, created_at=ActRun.id)
ACTS = Sorting(Act.id, default="-issued_at", issued_at=Act.id, number=Act.number)

_CLAIM = text(
    """UPDATE act_runs SET lease_token = :token, lease_until = :until,
        started_at = coalesce(started_at, :now),
        state = CASE state WHEN 'queued' THEN 'numbering' ELSE state END
    WHERE id = (SELECT id FROM act_runs WHERE state <> 'done'
        AND (lease_until IS NULL OR lease_until <= :now)
        ORDER BY created_at LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING id"""
)
_SERIES = text(
    "INSERT INTO number_series (series, last) VALUES (:series, 0) ON CONFLICT DO NOTHING"
)
_LOCK_SERIES = text("SELECT last FROM number_series WHERE series = :series FOR UPDATE")
# One statement, so one snapshot: the lines are the total, whatever is accrued meanwhile.
_ISSUE = text(
    """WITH wanted AS (
        SELECT DISTINCT beneficiary_id, asset FROM accruals
        WHERE payable AND act_id IS NULL AND at < :end
        ORDER BY beneficiary_id, asset LIMIT :limit
    ), open AS (
        SELECT a.id, a.beneficiary_id, a.asset, a.amount, a.number FROM accruals a
        JOIN wanted w ON w.beneficiary_id = a.beneficiary_id AND w.asset = a.asset
        WHERE a.payable AND a.act_id IS NULL AND a.at < :end FOR UPDATE OF a
    ), grouped AS (
        SELECT beneficiary_id, asset, sum(amount)::bigint AS total, count(*)::integer AS lines,
            row_number() OVER (ORDER BY beneficiary_id, asset)::integer AS place
        FROM open GROUP BY beneficiary_id, asset
    ), act AS (
        INSERT INTO acts (id, run_id, number, beneficiary_id, currency, kind, self_billing,
            language, accept_days, total_minor, lines, seller, buyer, state, author_id, issued_at)
        SELECT (CAST(:ids AS uuid[]))[g.place], :run_id,
            :series || '-' || lpad((:last + g.place)::text, 5, '0'),
            g.beneficiary_id, g.asset, CASE WHEN g.total < 0 THEN 261 ELSE 389 END,
            coalesce(b.self_billing, false), coalesce(b.language, 'en'),
            coalesce(b.accept_days, :accept_days), abs(g.total), g.lines,
            jsonb_build_object('name', o.name, 'country', o.country, 'tax_id', o.tax_id),
            CAST(:buyer AS jsonb), 'issued', :author_id, :now
        FROM grouped g JOIN organisations o ON o.id = g.beneficiary_id
        LEFT JOIN billing_terms b ON b.partner_id = g.beneficiary_id
        RETURNING id, beneficiary_id, currency, kind
    ), line AS (
        INSERT INTO act_lines (act_id, position, accrual_id, amount_minor)
        SELECT act.id, row_number() OVER (PARTITION BY act.id ORDER BY o.number)::integer, o.id,
            CASE act.kind WHEN 261 THEN -o.amount ELSE o.amount END
        FROM act JOIN open o ON o.beneficiary_id = act.beneficiary_id AND o.asset = act.currency
    ), counted AS (
        UPDATE number_series SET last = :last + (SELECT count(*) FROM grouped)
        WHERE series = :series
    ), marked AS (
        UPDATE accruals a SET act_id = act.id FROM act, open o
        WHERE o.id = a.id AND o.beneficiary_id = act.beneficiary_id AND o.asset = act.currency
    )
    SELECT count(*) FROM grouped"""
)
_OPERATOR = text("SELECT name, country, tax_id FROM organisations WHERE operator LIMIT 1")


async def claim_run(
    session: AsyncSession, token: UUID, now: datetime, until: datetime
) -> UUID | None:
    """A run that nobody works on, taken until then."""
    values = {"token": token, "now": now, "until": until}
    found: UUID | None = await session.scalar(_CLAIM, values)
    return found


async def run(session: AsyncSession, run_id: UUID) -> ActRun | None:
    return (await session.scalars(select(ActRun).where(ActRun.id == run_id))).first()


async def run_of_period(session: AsyncSession, period: str) -> ActRun | None:
    statement = select(ActRun).where(ActRun.period == period).with_for_update()
    return (await session.scalars(statement)).first()


async def run_page(session: AsyncSession, page: Page) -> Sequence[ActRun]:
    return (await session.scalars(page.of(select(ActRun)))).all()


async def counts(session: AsyncSession, run_id: UUID) -> tuple[int, int]:
    """(acts, of these rendered)."""
    statement = select(func.count(), func.count(Act.sha256)).where(Act.run_id == run_id)
    row = (await session.execute(statement)).one()
    return row[0], row[1]


async def totals(session: AsyncSession, run_id: UUID) -> list[tuple[str, int, int]]:
    """(currency, sum, number of acts); credit notes count negative."""
    signed = (
        func.sum(Act.total_minor).filter(Act.kind == 389),
        func.sum(Act.total_minor).filter(Act.kind == 261),
    )
    statement = (
        select(Act.currency, *signed, func.count())
        .where(Act.run_id == run_id)
        .group_by(Act.currency)
        .order_by(Act.currency)
    )
    rows = await session.execute(statement)
    return [(row[0], int(row[1] or 0) - int(row[2] or 0), row[3]) for row in rows]


async def issue(
    session: AsyncSession,
    of: ActRun,
    series: str,
    end: datetime,
    ids: Sequence[UUID],
    accept_days: int,
    buyer: str,
    now: datetime,
) -> int:
    """The next acts, at most one for each of `ids`, each with its number and lines; how many. The
    series is locked until the transaction ends, so numbers have no gaps.
    """
    await session.execute(_SERIES, {"series": series})
    last = await session.scalar(_LOCK_SERIES, {"series": series})
    values = {
        "end": end,
        "limit": len(ids),
        "ids": list(ids),
        "run_id": of.id,
        "series": series,
        "last": last,
        "accept_days": accept_days,
        "buyer": buyer,
        "author_id": of.author_id,
        "now": now,
    }
    return int((await session.execute(_ISSUE, values)).scalar_one())


async def operator_party(session: AsyncSession) -> dict[str, str]:
    row = (await session.execute(_OPERATOR)).mappings().first()
    return dict(row) if row is not None else {"name": "", "country": "", "tax_id": ""}


async def acts_by_ids(session: AsyncSession, ids: Sequence[UUID]) -> Sequence[Act]:
    statement = select(Act).where(Act.id.in_(ids)).order_by(Act.number)
    return (await session.scalars(statement)).all()


async def unrendered(session: AsyncSession, run_id: UUID, limit: int) -> Sequence[Act]:
    statement = select(Act).where(Act.run_id == run_id, Act.sha256.is_(None)).order_by(Act.number)
    return (await session.scalars(statement.limit(limit))).all()


async def act(session: AsyncSession, act_id: UUID, *, lock: bool = False) -> Act | None:
    statement = select(Act).where(Act.id == act_id)
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    return (await session.scalars(statement)).first()


async def act_page(
    session: AsyncSession, page: Page, run_id: UUID | None, partner: UUID | None
) -> Sequence[Act]:
    statement = page.of(select(Act))
    if partner is not None:
        statement = statement.where(Act.beneficiary_id == partner)
    if run_id is not None:
        statement = statement.where(Act.run_id == run_id)
    return (await session.scalars(statement)).all()


async def lines(session: AsyncSession, act_id: UUID) -> list[tuple[ActLine, Accrual, LedgerEntry]]:
    statement = (
        select(ActLine, Accrual, LedgerEntry)
        .join(Accrual, Accrual.id == ActLine.accrual_id)
        .join(LedgerEntry, LedgerEntry.id == Accrual.entry_id)
        .where(ActLine.act_id == act_id)
        .order_by(ActLine.position)
    )
    return [(row[0], row[1], row[2]) for row in await session.execute(statement)]


async def file(session: AsyncSession, act_id: UUID) -> ActFile | None:
    return await session.get(ActFile, act_id)


async def numbers(session: AsyncSession, run_id: UUID) -> list[tuple[UUID, str]]:
    """Rendered acts of a run, by number."""
    statement = select(Act.id, Act.number).where(Act.run_id == run_id, Act.sha256.is_not(None))
    return [(row[0], row[1]) for row in await session.execute(statement.order_by(Act.number))]


async def billing_terms(session: AsyncSession, partner_id: UUID) -> BillingTerms | None:
    return await session.get(BillingTerms, partner_id)
