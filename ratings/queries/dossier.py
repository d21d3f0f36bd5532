"""All that a rating page needs, in two statements: the records of one pair, then its sums under the
policy in force. Each runs in a session as well as on a reader.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from marketplace.kernel.statements import Row, Source, Statement
from ratings.accumulators import Evidence
from ratings.policy import DEFAULT, Parameters, Policy, Weights
from ratings.queries.records import Survey
from ratings.queries.sums import pair

# Apart from the sums, whose pending part PostgreSQL must plan by its dates each time: of this one
# it keeps the plan, and planning through the policies takes longer than the reading.
_RECORDS = Statement(
    """SELECT p.id, p.version, p.valid_from, p.weights, p.parameters, p.landmark AS begun,
        k.landmark, k.matured_until, t.credit_bp, t.given_at, t.expires_at, t.reason, t.author_id,
        b.reason AS block_reason, b.blocked_at, v.answers, v.stars
    FROM (SELECT 1) one
    LEFT JOIN LATERAL (SELECT * FROM rating_policies
        WHERE buyer_id = :buyer_id AND valid_from <= :now ORDER BY version DESC LIMIT 1) p ON true
    LEFT JOIN rating_bases k ON k.buyer_id = :buyer_id
        AND k.policy_id = coalesce(p.id, CAST(:house AS uuid))
    LEFT JOIN LATERAL (SELECT * FROM rating_trust WHERE buyer_id = :buyer_id
        AND supplier_id = :supplier_id AND given_at <= :now
        ORDER BY given_at DESC LIMIT 1) t ON true
    LEFT JOIN rating_blocks b ON b.buyer_id = :buyer_id AND b.supplier_id = :supplier_id
        AND b.lifted_at IS NULL
    CROSS JOIN LATERAL (SELECT count(*) AS answers, coalesce(sum(stars), 0) AS stars
        FROM rating_surveys WHERE supplier_id = :supplier_id AND buyer_id = :buyer_id) v"""
)


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
    """Under the policy in force. `evidence` is None where no order counts, and where no sums are
    kept (`kept`) and they have to be counted.
    """

    policy: Policy
    kept: bool
    evidence: Evidence | None
    trust: GivenTrust | None
    block: StandingBlock | None
    survey: Survey


async def dossier(source: Source, buyer_id: UUID, supplier_id: UUID, now: datetime) -> Dossier:
    """What is known of a supplier now."""
    row = await _RECORDS.row(
        source, buyer_id=buyer_id, supplier_id=supplier_id, now=now, house=DEFAULT.id
    )
    assert row is not None, "joined to one row"
    policy, evidence = _policy(row), None
    landmark, matured_until = row["landmark"], row["matured_until"]
    if landmark is not None:
        evidence = await pair(source, buyer_id, supplier_id, policy, landmark, matured_until, now)
    trust = block = None
    if row["credit_bp"] is not None:
        trust = GivenTrust(
            row["credit_bp"], row["given_at"], row["expires_at"], row["reason"], row["author_id"]
        )
    if row["block_reason"] is not None:
        block = StandingBlock(row["block_reason"], row["blocked_at"])
    survey = Survey(row["answers"], int(row["stars"]))
    return Dossier(policy, landmark is not None, evidence, trust, block, survey)


def _policy(row: Row) -> Policy:
    if row["id"] is None:
        return DEFAULT
    return Policy(
        id=row["id"],
        version=row["version"],
        valid_from=row["valid_from"],
        weights=msgspec.convert(row["weights"], Weights),
        parameters=msgspec.convert(row["parameters"], Parameters),
        landmark=row["begun"],
    )
