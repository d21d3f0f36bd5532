"""Exchange rates, how a supplier's lists work together, and who is in which tier."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.kernel.actor import Actor
from marketplace.kernel.codes import require_currency
from marketplace.kernel.decimals import NotADecimal, parse_decimal
from marketplace.kernel.errors import Invalid, NotFound
from marketplace.kernel.scope import as_house
from pricing.lists import queries
from pricing.lists.rates import Rate
from pricing.lists.rules import plain
from pricing.lists.schemas import NewRates, PriceSettings, RatePage, RateView
from suppliers.programme.facts import TierChanged

RATES_MAX = 1_000
RATE_PLACES_MAX = 12


async def keep_rates(session: AsyncSession, data: NewRates, now: datetime) -> RatePage:
    """Operator only (the route says so). Another rate of a day corrects the former one from now on;
    what was known before stays known.
    """
    for number, rate in enumerate(data.rates):
        field = f"rates[{number}].rate"
        try:
            value = parse_decimal(rate.rate, places=RATE_PLACES_MAX)
        except NotADecimal as wrong:
            message = "A rate is a decimal number."
            raise Invalid.field(field, "malformed", message, wrong.hint) from None
        if value <= 0:
            raise Invalid.field(field, "not_positive", "A rate is greater than zero.")
        require_currency(f"rates[{number}].base", rate.base)
        require_currency(f"rates[{number}].quote", rate.quote)
        if rate.base == rate.quote:
            message = "A rate is between two currencies."
            raise Invalid.field(f"rates[{number}].quote", "same_currency", message)
        new = Rate(rate.base, rate.quote, rate.on_date, value, data.source)
        await queries.keep_rate(session, new, now)
    return await show_rates(session, currency=None, on=None, known_at=None)


async def show_rates(
    session: AsyncSession, *, currency: str | None, on: date | None, known_at: datetime | None
) -> RatePage:
    found = await queries.all_rates(
        session, currency=currency, on=on, known_at=known_at, limit=RATES_MAX
    )
    return RatePage(
        [
            RateView(
                base=rate["base"],
                quote=rate["quote"],
                rate=plain(rate["rate"]),
                on_date=rate["on_date"],
                source=rate["source"],
                known_from=rate["known_from"],
            )
            for rate in found
        ]
    )


async def show_settings(session: AsyncSession, actor: Actor) -> PriceSettings:
    found = await queries.settings_of(session, actor.organisation_id)
    if found is None:
        return PriceSettings()
    return PriceSettings(
        combination=found["combination"], hold_change_percent=plain(found["hold_change_percent"])
    )


async def keep_settings(session: AsyncSession, actor: Actor, data: PriceSettings) -> PriceSettings:
    actor.require_capability("supplies")
    try:
        percent = parse_decimal(data.hold_change_percent)
    except NotADecimal:
        percent = Decimal(0)
    if not 1 <= percent <= 100_000:
        raise Invalid.field("hold_change_percent", "out_of_range", "From 1 to 100000 percent.")
    await queries.keep_settings(session, actor.organisation_id, data.combination, percent)
    return await show_settings(session, actor)


async def put_into_tier(
    session: AsyncSession, actor: Actor, organisation_id: UUID, tier: str | None
) -> None:
    """A customer's tier with this supplier; None takes it away. Raises Invalid."""
    actor.require_capability("supplies")
    if not await queries.organisation_exists(session, organisation_id):
        raise NotFound("organisation")
    if tier is None:
        await queries.take_from_tier(session, actor.organisation_id, organisation_id)
        return
    await queries.put_into_tier(session, actor.organisation_id, organisation_id, tier)


async def tier_changed(session: AsyncSession, fact: TierChanged) -> None:
    """The partner sees the lists for its tier in the operator's programme, of every supplier that
    made one (`programme:CODE`).
    """
    async with as_house(session):
        await queries.take_from_programme_tier(session, fact.operator_id, fact.partner_id)
        if fact.after is not None:
            await queries.put_into_programme_tier(
                session, fact.operator_id, fact.partner_id, fact.after
            )
