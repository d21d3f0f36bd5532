"""Exchange rates, how a supplier's lists work together, and who is in which tier."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.kernel.actor import Actor
from marketplace.kernel.decimals import NotADecimal, parse_decimal
from marketplace.kernel.errors import Invalid, NotFound
from pricing.lists import queries
from pricing.lists.rules import plain
from pricing.lists.schemas import NewRates, PriceSettings, RatePage, RateView
from pricing.lists.service.lists import organisation_exists

RATES_MAX = 1_000
RATE_PLACES_MAX = 12


async def keep_rates(session: AsyncSession, data: NewRates) -> RatePage:
    """Operator only (the route says so). The rate of a day replaces a former one of that day."""
    for number, rate in enumerate(data.rates):
        field = f"rates[{number}].rate"
        try:
            value = parse_decimal(rate.rate, places=RATE_PLACES_MAX)
        except NotADecimal as wrong:
            message = "A rate is a decimal number."
            raise Invalid.field(field, "malformed", message, wrong.hint) from None
        if value <= 0:
            raise Invalid.field(field, "not_positive", "A rate is greater than zero.")
        await session.execute(
            text(
                """INSERT INTO exchange_rates (base, quote, on_date, rate, source)
                VALUES (:base, :quote, :on, :rate, :source)
                ON CONFLICT (base, quote, on_date) DO UPDATE
                SET rate = excluded.rate, source = excluded.source"""
            ),
            {
                "base": rate.base,
                "quote": rate.quote,
                "on": rate.on_date,
                "rate": value,
                "source": data.source,
            },
        )
    return await show_rates(session, currency=None, on=None)


async def show_rates(session: AsyncSession, *, currency: str | None, on: date | None) -> RatePage:
    found = await queries.all_rates(session, currency=currency, on=on, limit=RATES_MAX)
    return RatePage(
        [
            RateView(
                base=rate.base,
                quote=rate.quote,
                rate=plain(rate.rate),
                on_date=rate.on_date,
                source=rate.source,
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
    await session.execute(
        text(
            """INSERT INTO price_settings (supplier_id, combination, hold_change_percent)
            VALUES (:supplier, :combination, :percent) ON CONFLICT (supplier_id) DO UPDATE
            SET combination = excluded.combination,
                hold_change_percent = excluded.hold_change_percent"""
        ),
        {
            "supplier": actor.organisation_id,
            "combination": data.combination,
            "percent": percent,
        },
    )
    return await show_settings(session, actor)


async def put_into_tier(
    session: AsyncSession, actor: Actor, organisation_id: UUID, tier: str | None
) -> None:
    """A customer's tier with this supplier; None takes it away. Raises Invalid."""
    actor.require_capability("supplies")
    if not await organisation_exists(session, organisation_id):
        raise NotFound("organisation")
    key = {"supplier": actor.organisation_id, "organisation": organisation_id}
    if tier is None:
        await session.execute(
            text(
                "DELETE FROM price_tier_members WHERE supplier_id = :supplier"
                " AND organisation_id = :organisation"
            ),
            key,
        )
        return
    await session.execute(
        text(
            """INSERT INTO price_tier_members (supplier_id, organisation_id, tier)
            VALUES (:supplier, :organisation, :tier)
            ON CONFLICT (supplier_id, organisation_id) DO UPDATE SET tier = excluded.tier"""
        ),
        key | {"tier": tier},
    )
