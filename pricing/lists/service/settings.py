"""Exchange rates, how a supplier's lists work together, and who is in which tier."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.kernel.actor import Actor
from marketplace.kernel.codes import require_currency
from marketplace.kernel.decimals import NotADecimal, parse_decimal
from marketplace.kernel.errors import Invalid, NotFound
from marketplace.kernel.scope import as_house
from pricing.lists import queries
from pricing.lists.rules import plain
from pricing.lists.schemas import NewRates, PriceSettings, RatePage, RateView
from pricing.lists.service.lists import organisation_exists
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
        await session.execute(
            text(
                """INSERT INTO exchange_rates (base, quote, on_date, rate, source, known_from)
                SELECT n.*, greatest(CAST(:now AS timestamptz),
                    last.known_from + interval '1 microsecond')
                FROM (SELECT CAST(:base AS text) AS base, CAST(:quote AS text) AS quote,
                    CAST(:on AS date) AS on_date, CAST(:rate AS numeric) AS rate,
                    CAST(:source AS text) AS source) n
                LEFT JOIN LATERAL (SELECT e.rate, e.source, e.known_from FROM exchange_rates e
                    WHERE (e.base, e.quote, e.on_date) = (n.base, n.quote, n.on_date)
                    ORDER BY e.known_from DESC LIMIT 1) last ON true
                WHERE (n.rate, n.source) IS DISTINCT FROM (last.rate, last.source)"""
            ),
            {
                "base": rate.base,
                "quote": rate.quote,
                "on": rate.on_date,
                "rate": value,
                "source": data.source,
                "now": now,
            },
        )
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


async def tier_changed(session: AsyncSession, fact: TierChanged) -> None:
    """The partner sees the lists for its tier in the operator's programme, of every supplier that
    made one (`programme:CODE`).
    """
    async with as_house(session):
        await session.execute(
            text(
                """DELETE FROM price_tier_members WHERE supplier_id = :operator
                AND organisation_id = :partner AND programme"""
            ),
            {"operator": fact.operator_id, "partner": fact.partner_id},
        )
        if fact.after is not None:
            await session.execute(
                text(
                    """INSERT INTO price_tier_members (supplier_id, organisation_id, tier,
                        programme)
                    VALUES (:operator, :partner, :tier, true)"""
                ),
                {"operator": fact.operator_id, "partner": fact.partner_id, "tier": fact.after},
            )
