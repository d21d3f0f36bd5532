"""What the ledger asks of agreements: the terms of a sale at its time, and the payout minimum."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.kernel.money import exponent_of, parse_minor
from marketplace.kernel.scope import as_house
from marketplace.ledger.payouts.service import set_payout_terms
from marketplace.ledger.posting import POINTS, Rule
from marketplace.ledger.terms import Percent, Terms
from suppliers.programme import queries
from suppliers.programme.models import Agreement
from suppliers.programme.schemas.agreements import PayoutBody
from suppliers.programme.schemas.programmes import TierBody
from suppliers.programme.service.programmes import tiers_of

BASIS_POINTS = 100
"""Of one percent; rewards have at most two decimals, so none is lost."""


async def terms_at(session: AsyncSession, partner_id: UUID, at: datetime) -> Terms | None:
    """What the agreement granted at that moment, whatever it grants now. A running agreement
    without an approved tier earns nothing. Works in any scope.
    """
    async with as_house(session):
        for agreement in await queries.agreements_of(session, partner_id):
            if agreement.begins > at or (agreement.ends is not None and agreement.ends <= at):
                continue
            snapshot = await queries.snapshot_at(session, agreement.id, at)
            if snapshot is None or snapshot.state != "active" or snapshot.tier is None:
                continue
            version = await queries.version(session, agreement.programme_id, snapshot.version)
            assert version is not None, "the foreign key says so"
            for tier in tiers_of(version, agreement.partner_type):
                if tier.code == snapshot.tier:
                    return await _terms(session, agreement, snapshot.version, tier)
    return None


async def _terms(
    session: AsyncSession, agreement: Agreement, version: int, tier: TierBody
) -> Terms:
    programme = await queries.programme(session, agreement.programme_id)
    assert programme is not None, "the foreign key says so"
    reward, payout = tier.reward, msgspec.convert(agreement.payout, PayoutBody)
    words = f"{programme.name}, version {version}, tier {tier.code}: {reward.sale_percent} %"
    words += f" commission, {reward.fund_percent} % to the fund"
    if reward.points_per_major is not None:
        words += f", {reward.points_per_major} points for each {programme.currency}"
    return Terms(
        rule=Rule("agreement", version, words),
        sale=Percent(_basis_points(reward.sale_percent)),
        fund_bp=_basis_points(reward.fund_percent),
        points_per_major=Decimal(reward.points_per_major or 0),
        hold_days=payout.hold_days,
    )


def _basis_points(percent: str) -> int:
    return int(Decimal(percent) * BASIS_POINTS)


async def tell_payouts(session: AsyncSession, agreement: Agreement) -> None:
    """The minimum that holds from now on; the hold is part of each sale's terms."""
    payout = msgspec.convert(agreement.payout, PayoutBody)
    if payout.asset == POINTS:
        return
    minimum = parse_minor(payout.minimum, exponent_of(payout.asset))
    await set_payout_terms(session, agreement.partner_id, payout.asset, minimum)
