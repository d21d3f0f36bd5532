"""All that a rating page needs, in two statements: which policy and sums, then everything of one
supplier.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from ratings.accumulators import Evidence
from ratings.policy import DEFAULT, Parameters, Policy, Weights
from ratings.queries.records import Survey
from ratings.queries.sums import KEPT, evidence_of, kept_values

_PLACE = text(
    """SELECT p.id, p.version, p.valid_from, p.weights, p.parameters, p.landmark AS begun,
        b.landmark, b.matured_until
    FROM (SELECT 1) one
    LEFT JOIN LATERAL (SELECT * FROM rating_policies
        WHERE buyer_id = :buyer_id AND valid_from <= :now ORDER BY version DESC LIMIT 1) p ON true
    LEFT JOIN rating_bases b ON b.buyer_id = :buyer_id
        AND b.policy_id = coalesce(p.id, CAST(:house AS uuid))"""
)
_DOSSIER = text(
    f"""SELECT s.*, t.credit_bp, t.given_at, t.expires_at, t.reason, t.author_id,
        b.reason AS block_reason, b.blocked_at, v.answers, v.stars
    FROM (SELECT 1) one
    LEFT JOIN LATERAL ({KEPT} AND s.supplier_id = :supplier_id) s ON true
    LEFT JOIN LATERAL (SELECT * FROM rating_trust WHERE buyer_id = :buyer_id
        AND supplier_id = :supplier_id AND given_at <= :now
        ORDER BY given_at DESC LIMIT 1) t ON true
    LEFT JOIN rating_blocks b ON b.buyer_id = :buyer_id AND b.supplier_id = :supplier_id
        AND b.lifted_at IS NULL
    CROSS JOIN LATERAL (SELECT count(*) AS answers, coalesce(sum(stars), 0) AS stars
        FROM rating_surveys WHERE supplier_id = :supplier_id AND buyer_id = :buyer_id) v"""  # noqa: S608
)


class Place(msgspec.Struct, frozen=True):
    """The policy in force and where its kept sums stand; None where there are none yet."""

    policy: Policy
    landmark: datetime | None
    matured_until: datetime | None


class GivenTrust(msgspec.Struct, frozen=True):
    credit_bp: int
    given_at: datetime
    expires_at: datetime
    reason: str
    author_id: UUID


class StandingBlock(msgspec.Struct, frozen=True):
    reason: str
    blocked_at: datetime


class Dossier(msgspec.Struct, frozen=True):
    """`evidence` is None where no order counts."""

    evidence: Evidence | None
    trust: GivenTrust | None
    block: StandingBlock | None
    survey: Survey


async def place(session: AsyncSession, buyer_id: UUID, now: datetime) -> Place:
    values = {"buyer_id": buyer_id, "now": now, "house": DEFAULT.id}
    row = (await session.execute(_PLACE, values)).mappings().one()
    policy = DEFAULT
    if row["id"] is not None:
        policy = Policy(
            id=row["id"],
            version=row["version"],
            valid_from=row["valid_from"],
            weights=msgspec.convert(row["weights"], Weights),
            parameters=msgspec.convert(row["parameters"], Parameters),
            landmark=row["begun"],
        )
    return Place(policy, row["landmark"], row["matured_until"])


async def dossier(
    session: AsyncSession, buyer_id: UUID, supplier_id: UUID, where: Place, now: datetime
) -> Dossier:
    """What is known of a supplier now. Without kept sums the evidence is missing here."""
    landmark = where.landmark or now
    values = kept_values(buyer_id, where.policy, landmark, where.matured_until or now, now)
    values |= {"supplier_id": supplier_id, "now": now}
    row = (await session.execute(_DOSSIER, values)).mappings().one()
    trust = block = None
    if row["credit_bp"] is not None:
        trust = GivenTrust(
            row["credit_bp"], row["given_at"], row["expires_at"], row["reason"], row["author_id"]
        )
    if row["block_reason"] is not None:
        block = StandingBlock(row["block_reason"], row["blocked_at"])
    evidence = None
    if row["supplier_id"] is not None and where.landmark is not None:
        evidence = evidence_of(row, where.landmark, now, where.policy.parameters)
    return Dossier(evidence, trust, block, Survey(row["answers"], int(row["stars"])))
