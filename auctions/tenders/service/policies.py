"""The buyer's own limit above which somebody else must release a tender."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from auctions.tenders import queries
from auctions.tenders.models import TenderPolicy
from auctions.tenders.schemas.tender import PolicyView
from marketplace.accounts.service import audit
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import Invalid
from marketplace.kernel.money import Money, NotAnAmount


async def show_policy(session: AsyncSession, actor: Actor) -> PolicyView:
    """Raises Forbidden for an organisation that does not buy."""
    actor.require_capability("buys")
    policy = await queries.policy(session, actor.organisation_id)
    if policy is None or policy.approval_limit_minor is None:
        return PolicyView(None)
    return PolicyView(Money(policy.approval_limit_minor, policy.currency).wire())


async def set_policy(
    session: AsyncSession, actor: Actor, new: PolicyView, now: datetime
) -> PolicyView:
    """For tenders published from now on. An admin's work, and on record in the audit log: the first
    user of an organisation both buys and administers.

    Raises Forbidden, Invalid.
    """
    actor.require_capability("buys")
    actor.require_role("admin")
    limit = None
    if new.approval_limit is not None:
        try:
            limit = Money.parse(new.approval_limit)
        except NotAnAmount as error:
            raise Invalid.field("approval_limit.amount", error.code, error.detail) from error
        if limit.minor < 0:
            raise Invalid.field("approval_limit.amount", "out_of_range", "Not below zero.")
    policy = await queries.policy(session, actor.organisation_id)
    if policy is None:
        policy = TenderPolicy(buyer_id=actor.organisation_id, currency="EUR")
        session.add(policy)
    policy.currency = limit.currency if limit else policy.currency
    policy.approval_limit_minor = limit.minor if limit else None
    policy.changed_by, policy.changed_at = actor.user_id, now
    await session.flush()
    amount = new.approval_limit
    said = f"{amount.amount} {amount.currency}" if amount else "no limit"
    audit.record(
        session, now, "approval_limit_changed", actor.organisation_id, actor=actor, reason=said
    )
    return new
