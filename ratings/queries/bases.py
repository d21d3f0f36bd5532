"""The kept sums: adding an event to them, and keeping them true as time goes by."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from uuid import UUID

import msgspec
from sqlalchemy import delete, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.kernel.statements import Statement
from ratings.accumulators import Sums
from ratings.models import RatingBase, RatingClaim, RatingLine
from ratings.policy import Policy
from ratings.queries.records import policy
from ratings.queries.sums import NO_MONTHS, WEIGHT, recounting, set_based

_SUM_NAMES = ("orders", "volume", "matured", "blemish", "priced", "excess")
_ADDED = ", ".join(f"{name} = rating_sums.{name} + excluded.{name}" for name in _SUM_NAMES)
_MONTH = f"coalesce(set_bit({NO_MONTHS}, :month, 1), {NO_MONTHS})"
_ADD = text(
    f"""INSERT INTO rating_sums (buyer_id, policy_id, supplier_id, orders, volume, matured, blemish,
        priced, excess, months)
    VALUES (:buyer_id, :policy_id, :supplier_id, :orders, :volume, :matured, :blemish, :priced,
        :excess, {_MONTH})
    ON CONFLICT (buyer_id, policy_id, supplier_id) DO UPDATE SET {_ADDED},
        months = rating_sums.months | excluded.months"""  # noqa: S608  # constants only
)
# A month stays active while any other order of it counts.
_REMOVE = text(
    "UPDATE rating_sums s SET"
    + ", ".join(f" {name} = s.{name} - :{name}" for name in _SUM_NAMES)
    + ", months = CASE WHEN EXISTS (SELECT FROM rating_lines l WHERE l.buyer_id = :buyer_id"
    " AND l.supplier_id = :supplier_id AND l.month = :month AND l.voided_at IS NULL)"
    " THEN s.months ELSE set_bit(s.months, :month, 0) END"
    " WHERE buyer_id = :buyer_id AND policy_id = :policy_id AND supplier_id = :supplier_id"
)
_STORE = text(
    f"""INSERT INTO rating_sums (buyer_id, policy_id, supplier_id, {", ".join(_SUM_NAMES)}, months)
    SELECT :buyer_id, :policy_id, r.* FROM unnest(CAST(:supplier_id AS uuid[]),
        {", ".join(f"CAST(:{name} AS float8[])" for name in _SUM_NAMES)},
        CAST(CAST(:shown AS text[]) AS bit(1200)[])) AS r"""  # noqa: S608  # constants only
)
_LOCK = text("SELECT pg_advisory_xact_lock(:key)")
_SHARE = text("SELECT pg_advisory_xact_lock_shared(:key)")
_MATURE = text(
    f"""UPDATE rating_sums s SET matured = s.matured + d.w
    FROM (SELECT supplier_id, sum({WEIGHT.format(at="ordered_at")}) AS w FROM rating_lines
        WHERE buyer_id = :buyer_id AND position = 0 AND voided_at IS NULL
            AND completed_at > :counted_before AND completed_at <= :matured_before
        GROUP BY supplier_id) d
    WHERE s.buyer_id = :buyer_id AND s.policy_id = :policy_id
        AND s.supplier_id = d.supplier_id"""  # noqa: S608  # constants only
)
_REBASE = text(
    "UPDATE rating_sums SET"
    + ",".join(f" {name} = {name} * CAST(:factor AS float8)" for name in _SUM_NAMES)
    + " WHERE buyer_id = :buyer_id AND policy_id = :policy_id"
)
_ALONE = text("SELECT pg_try_advisory_xact_lock(:key)")
# The inner walk jumps from buyer to buyer along the index, however many lines each has.
_DUE = text(
    """WITH RECURSIVE known AS (
        (SELECT buyer_id FROM rating_lines ORDER BY buyer_id LIMIT 1)
        UNION ALL
        SELECT (SELECT l.buyer_id FROM rating_lines l WHERE l.buyer_id > k.buyer_id
            ORDER BY l.buyer_id LIMIT 1)
        FROM known k WHERE k.buyer_id IS NOT NULL)
    SELECT k.buyer_id FROM known k WHERE k.buyer_id IS NOT NULL
        AND NOT EXISTS (SELECT FROM rating_bases b WHERE b.buyer_id = k.buyer_id)
    UNION SELECT buyer_id FROM rating_bases WHERE matured_until < :before
    LIMIT :limit"""
)
_EVER = datetime(9999, 1, 1, tzinfo=UTC)
_PATIENCE = text("SELECT set_config('statement_timeout', :ms, true)")


class Base(msgspec.Struct, frozen=True):
    """Kept sums of a buyer: under which policy, from where, and matured until when."""

    policy: Policy
    landmark: datetime
    matured_until: datetime


def _key(buyer_id: UUID) -> int:
    digest = sha256(b"ratings" + buyer_id.bytes).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


async def lock_buyer(session: AsyncSession, buyer_id: UUID) -> None:
    """Nothing else touches the buyer's sums until the transaction ends."""
    await session.execute(_LOCK, {"key": _key(buyer_id)})


async def share_buyer(session: AsyncSession, buyer_id: UUID) -> None:
    """Events go on side by side, but neither while the sums are made anew nor while they mature."""
    await session.execute(_SHARE, {"key": _key(buyer_id)})


async def is_alone(session: AsyncSession, buyer_id: UUID) -> bool:
    """Take `lock_buyer` beside the own share if nobody else has one; never waits."""
    return bool(await session.scalar(_ALONE, {"key": _key(buyer_id)}))


async def bases(session: AsyncSession, buyer_id: UUID) -> list[Base]:
    """All kept sums of a buyer; normally one."""
    rows = await session.scalars(select(RatingBase).where(RatingBase.buyer_id == buyer_id))
    found = []
    for row in rows.all():
        version = await policy(session, row.policy_id)
        assert version is not None, "a base names a policy that exists"
        found.append(Base(version, row.landmark, row.matured_until))
    return found


async def add(
    session: AsyncSession,
    buyer_id: UUID,
    supplier_id: UUID,
    policy_id: UUID,
    sums: Sums,
    month: int | None = None,
) -> None:
    """One row: the sums grow by `sums`, and `month` becomes an active one."""
    values = _values(buyer_id, supplier_id, policy_id, sums)
    await session.execute(_ADD, values | {"month": month})


async def remove(
    session: AsyncSession,
    buyer_id: UUID,
    supplier_id: UUID,
    policy_id: UUID,
    sums: Sums,
    month: int,
) -> None:
    """The reversal of `add`. The caller holds `lock_buyer`, and the lines are void already."""
    values = _values(buyer_id, supplier_id, policy_id, sums)
    await session.execute(_REMOVE, values | {"month": month})


def _values(buyer_id: UUID, supplier_id: UUID, policy_id: UUID, sums: Sums) -> dict[str, object]:
    return msgspec.structs.asdict(sums) | {
        "buyer_id": buyer_id,
        "supplier_id": supplier_id,
        "policy_id": policy_id,
    }


async def store(session: AsyncSession, buyer_id: UUID, version: Policy, now: datetime) -> None:
    """Make a buyer's sums under a policy anew, in one aggregate of all that stands; late events
    told early included. The caller holds `lock_buyer`.
    """
    await drop(session, buyer_id, version.id)
    statement, values = recounting(buyer_id, version, _EVER, now)
    # Read, then written: PostgreSQL has all its workers run a SELECT, but no INSERT ... SELECT.
    counted = Statement(f"SELECT r.*, CAST(r.months AS text) AS shown FROM ({statement}) r")  # noqa: S608
    rows = await set_based(session, counted, values)
    columns = {name: [row[name] for row in rows] for name in ("supplier_id", *_SUM_NAMES)}
    place = {"buyer_id": buyer_id, "policy_id": version.id, "shown": [row["shown"] for row in rows]}
    await session.execute(_STORE, columns | place)
    session.add(
        RatingBase(
            buyer_id=buyer_id,
            policy_id=version.id,
            landmark=version.landmark,
            matured_until=now,
        )
    )
    await session.flush()


async def drop(session: AsyncSession, buyer_id: UUID, policy_id: UUID) -> None:
    """Forget the kept sums; they can be made again."""
    await session.execute(
        text("DELETE FROM rating_sums WHERE buyer_id = :buyer_id AND policy_id = :policy_id"),
        {"buyer_id": buyer_id, "policy_id": policy_id},
    )
    await session.execute(
        delete(RatingBase).where(RatingBase.buyer_id == buyer_id, RatingBase.policy_id == policy_id)
    )


async def mature(session: AsyncSession, buyer_id: UUID, base: Base, until: datetime) -> None:
    """Orders whose claim window has passed by `until` enter M. The caller holds `lock_buyer`."""
    parameters = base.policy.parameters
    await session.execute(
        _MATURE,
        {
            "buyer_id": buyer_id,
            "policy_id": base.policy.id,
            "landmark_s": base.landmark.timestamp(),
            "half_life_s": parameters.half_life().total_seconds(),
            "counted_before": base.matured_until - parameters.maturity(),
            "matured_before": until - parameters.maturity(),
        },
    )
    await _change(session, buyer_id, base, matured_until=until)


async def rebase(session: AsyncSession, buyer_id: UUID, base: Base, half_lives: int) -> None:
    """Move the landmark forward; exact. The caller holds `lock_buyer`."""
    await session.execute(
        _REBASE,
        {"buyer_id": buyer_id, "policy_id": base.policy.id, "factor": 2.0**-half_lives},
    )
    later = base.landmark + half_lives * base.policy.parameters.half_life()
    await _change(session, buyer_id, base, landmark=later)


async def _change(session: AsyncSession, buyer_id: UUID, base: Base, **new: datetime) -> None:
    await session.execute(
        update(RatingBase)
        .where(RatingBase.buyer_id == buyer_id, RatingBase.policy_id == base.policy.id)
        .values(**new)
    )


async def lines_of(session: AsyncSession, order_id: UUID) -> Sequence[RatingLine]:
    """The lines of an order that count now; line 0 first, locked."""
    statement = (
        select(RatingLine)
        .where(RatingLine.order_id == order_id, RatingLine.voided_at.is_(None))
        .order_by(RatingLine.position)
        .with_for_update()
    )
    return (await session.scalars(statement)).all()


async def claims_of(session: AsyncSession, order_id: UUID) -> Sequence[RatingClaim]:
    """The claims of an order that count now."""
    statement = select(RatingClaim).where(
        RatingClaim.order_id == order_id, RatingClaim.withdrawn_at.is_(None)
    )
    return (await session.scalars(statement)).all()


async def due_buyers(session: AsyncSession, before: datetime, limit: int) -> Sequence[UUID]:
    """Whose sums are missing, or have not been looked after since `before`."""
    return (await session.scalars(_DUE, {"before": before, "limit": limit})).all()


async def be_patient(session: AsyncSession, timeout_ms: int) -> None:
    """A longer statement timeout, for this transaction."""
    await session.execute(_PATIENCE, {"ms": str(timeout_ms)})
