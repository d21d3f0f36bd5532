"""Sums read as they are kept, and sums counted again from what happened.

Counting again is one aggregate. Everything in it is float8 from the first step: left to `numeric`
the same expression takes ten times as long.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
from sqlalchemy import bindparam, text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.kernel.statements import Row, Source, Statement
from ratings.accumulators import MONTHS, Evidence, Sums, decayed
from ratings.policy import Parameters, Policy

# date_part gives float8 where extract gives numeric. Below 2^-1000 nothing counts any more, and
# power() would raise an underflow.
WEIGHT = """power(2::float8, greatest(-1000::float8,
    (date_part('epoch', {at}) - :landmark_s) / :half_life_s))"""
NO_MONTHS = f"repeat('0', {MONTHS})::bit({MONTHS})"

_RECOUNT = """SELECT l.supplier_id,
    coalesce(sum(l.w) FILTER (WHERE l.position = 0), 0) AS orders,
    coalesce(sum(l.w * l.value), 0) AS volume,
    coalesce(sum(l.w) FILTER (WHERE l.position = 0 AND l.completed_at <= :matured_before), 0)
        AS matured,
    coalesce(sum(l.w * c.severity) FILTER (WHERE l.position = 0), 0) AS blemish,
    coalesce(sum(l.w * l.value) FILTER (WHERE l.log_ratio IS NOT NULL), 0) AS priced,
    coalesce(sum(l.w * l.value * greatest(-CAST(:price_limit AS float8),
        least(CAST(:price_limit AS float8), l.log_ratio)))
        FILTER (WHERE l.log_ratio IS NOT NULL), 0) AS excess,
    bit_or(set_bit({no_months}, l.month, 1)) AS months
FROM (SELECT order_id, position, supplier_id, completed_at, log_ratio, month,
        value_minor::float8 * {rate} AS value, {weight} AS w
    FROM rating_lines
    WHERE buyer_id = :buyer_id AND completed_at <= :as_of
        AND (voided_at IS NULL OR voided_at > :as_of){only}) l
LEFT JOIN (SELECT order_id, least(1::float8, sum(severity)) AS severity FROM rating_claims
    WHERE buyer_id = :buyer_id AND upheld_at <= :as_of
        AND (withdrawn_at IS NULL OR withdrawn_at > :as_of){only}
    GROUP BY order_id) c ON c.order_id = l.order_id
GROUP BY l.supplier_id"""

# What matured since the job last looked is added on reading: seldom more than a few rows.
_PENDING = f"""(SELECT coalesce(sum({WEIGHT.format(at="p.ordered_at")}), 0) FROM rating_lines p
    WHERE p.buyer_id = s.buyer_id AND p.supplier_id = s.supplier_id AND p.position = 0
        AND p.voided_at IS NULL AND p.completed_at > :counted_before
        AND p.completed_at <= :matured_before)"""  # noqa: S608  # constants only
KEPT = f"""SELECT s.supplier_id, s.orders, s.volume, s.matured + {_PENDING} AS matured,
    s.blemish, s.priced, s.excess, bit_count(s.months) AS active_months
FROM rating_sums s
WHERE s.buyer_id = :buyer_id AND s.policy_id = :policy_id"""  # noqa: S608  # constants only
_PAIR = Statement(KEPT + " AND s.supplier_id = :supplier_id")
_PAIRS = text(KEPT + " AND s.supplier_id IN :supplier_ids").bindparams(
    bindparam("supplier_ids", expanding=True)
)
_SUPPLIERS = text("SELECT DISTINCT supplier_id FROM rating_lines WHERE buyer_id = :buyer_id")
# A buyer's sums all decay from one landmark by one half-life, so their ratio needs no time.
_SPEND = text(
    "SELECT s.buyer_id, s.policy_id,"
    " sum(s.volume) FILTER (WHERE s.supplier_id IN :group) AS here, sum(s.volume) AS whole"
    " FROM rating_sums s WHERE s.buyer_id IN"
    " (SELECT m.buyer_id FROM rating_sums m WHERE m.supplier_id = :supplier_id)"
    " GROUP BY s.buyer_id, s.policy_id"
).bindparams(bindparam("group", expanding=True))
_SET_BASED = Statement(
    "SELECT set_config('work_mem', :memory, true), set_config('enable_nestloop', :loops, true)"
)
_COUNT = text("SELECT count(*) FROM rating_lines WHERE buyer_id = :buyer_id")


class Spend(msgspec.Struct, frozen=True):
    """What a buyer's sums under a policy say of its spend with a group and as a whole."""

    buyer_id: UUID
    policy_id: UUID
    here: float
    whole: float


def _times(parameters: Parameters, landmark: datetime) -> dict[str, object]:
    return {
        "landmark_s": landmark.timestamp(),
        "half_life_s": parameters.half_life().total_seconds(),
    }


def _sums(row: Row) -> Sums:
    return Sums(
        orders=row["orders"],
        volume=row["volume"],
        matured=row["matured"],
        blemish=row["blemish"],
        priced=row["priced"],
        excess=row["excess"],
    )


async def recount(
    source: Source,
    buyer_id: UUID,
    policy: Policy,
    as_of: datetime,
    supplier_id: UUID | None = None,
) -> dict[UUID, Evidence]:
    """What was known at `as_of`, of every supplier or of one, counted from what happened."""
    statement, values = recounting(buyer_id, policy, as_of, as_of, supplier_id)
    counted = f"SELECT r.*, bit_count(r.months) AS active_months FROM ({statement}) r"  # noqa: S608
    rows = await set_based(source, Statement(counted), values)
    return {
        row["supplier_id"]: evidence_of(row, policy.landmark, as_of, policy.parameters)
        for row in rows
    }


async def set_based(
    source: Source, statement: Statement, values: dict[str, object]
) -> Sequence[Row]:
    """Run an aggregate with room in memory and without nested loops.

    After a bulk import, before PostgreSQL has counted its rows, it expects one row of each table
    and would compare every line with every claim.
    """
    await _SET_BASED.rows(source, memory="64MB", loops="off")
    rows = await statement.rows(source, **values)
    await _SET_BASED.rows(source, memory="64MB", loops="on")
    return rows


def recounting(
    buyer_id: UUID,
    policy: Policy,
    as_of: datetime,
    matured_until: datetime,
    supplier_id: UUID | None = None,
) -> tuple[str, dict[str, object]]:
    """The aggregate and its values: what happened by `as_of`, matured by `matured_until`, at the
    policy's landmark; a row for each supplier, in the columns of `rating_sums`.
    """
    parameters = policy.parameters
    cases, values = [], _times(parameters, policy.landmark)
    for index, currency in enumerate([parameters.currency, *sorted(parameters.rates)]):
        cases.append(f"WHEN :currency_{index} THEN CAST(:rate_{index} AS float8)")
        values[f"currency_{index}"] = currency
        values[f"rate_{index}"] = parameters.minor_rate(currency)
    statement = _RECOUNT.format(
        no_months=NO_MONTHS,
        rate=f"CASE currency {' '.join(cases)} END",
        weight=WEIGHT.format(at="ordered_at"),
        only=" AND supplier_id = :supplier_id" if supplier_id else "",
    )
    values |= {
        "buyer_id": buyer_id,
        "as_of": as_of,
        "matured_before": matured_until - parameters.maturity(),
        "price_limit": parameters.price_limit,
    }
    return statement, values | ({"supplier_id": supplier_id} if supplier_id else {})


def kept_values(
    buyer_id: UUID,
    policy: Policy,
    landmark: datetime,
    matured_until: datetime,
    now: datetime,
) -> dict[str, object]:
    """What KEPT asks for."""
    maturity = policy.parameters.maturity()
    return _times(policy.parameters, landmark) | {
        "buyer_id": buyer_id,
        "policy_id": policy.id,
        "counted_before": matured_until - maturity,
        "matured_before": now - maturity,
    }


async def pair(
    source: Source,
    buyer_id: UUID,
    supplier_id: UUID,
    policy: Policy,
    landmark: datetime,
    matured_until: datetime,
    now: datetime,
) -> Evidence | None:
    """What is known now, from one row."""
    values = kept_values(buyer_id, policy, landmark, matured_until, now)
    row = await _PAIR.row(source, supplier_id=supplier_id, **values)
    return None if row is None else evidence_of(row, landmark, now, policy.parameters)


async def pairs(
    session: AsyncSession,
    buyer_id: UUID,
    supplier_ids: Iterable[UUID],
    policy: Policy,
    landmark: datetime,
    matured_until: datetime,
    now: datetime,
) -> dict[UUID, Evidence]:
    """The same of many suppliers."""
    values = kept_values(buyer_id, policy, landmark, matured_until, now)
    rows = await session.execute(_PAIRS, values | {"supplier_ids": list(supplier_ids)})
    return {
        row["supplier_id"]: evidence_of(row, landmark, now, policy.parameters)
        for row in rows.mappings()
    }


def evidence_of(row: Row, landmark: datetime, now: datetime, parameters: Parameters) -> Evidence:
    """A row of KEPT as it counts at `now`."""
    return Evidence(
        sums=decayed(_sums(row), landmark, now, parameters), active_months=row["active_months"]
    )


async def suppliers_of(session: AsyncSession, buyer_id: UUID) -> Sequence[UUID]:
    """Whom a buyer has ever completed an order with."""
    return (await session.scalars(_SUPPLIERS, {"buyer_id": buyer_id})).all()


async def spend(session: AsyncSession, supplier_id: UUID, group: Iterable[UUID]) -> list[Spend]:
    """Of every buyer of the supplier, in the system scope. `group`: the supplier's affiliates."""
    rows = await session.execute(
        _SPEND, {"supplier_id": supplier_id, "group": [supplier_id, *group]}
    )
    return [
        Spend(row["buyer_id"], row["policy_id"], row["here"] or 0.0, row["whole"] or 0.0)
        for row in rows.mappings()
    ]


async def count_lines(session: AsyncSession, buyer_id: UUID) -> int:
    return int(await session.scalar(_COUNT, {"buyer_id": buyer_id}) or 0)


def date_series(until: datetime, points: int) -> list[datetime]:
    """`points` moments a month apart, oldest first, the last is `until`."""
    first_days = []
    year, month = until.year, until.month
    for _ in range(points - 1):
        first_days.append(datetime(year, month, 1, tzinfo=UTC))
        year, month = (year, month - 1) if month > 1 else (year - 1, 12)
    shown = [day for day in first_days if day < until - timedelta(seconds=1)]
    return [*reversed(shown), until]
