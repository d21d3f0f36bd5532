"""A partner programme with money in it: tiers, agreements, orders that earned, a run that was paid
and one that waits for its second person, and the acts of the month.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec

from auctions.live.rest_client import RestClient
from marketplace.accounts import queries as accounts
from marketplace.accounts.passwords import Passwords
from marketplace.accounts.schemas import NewUser
from marketplace.accounts.service.organisations import add_user
from marketplace.kernel.clock import Clock
from marketplace.kernel.db import SYSTEM, Database
from marketplace.kernel.errors import NotFound
from web.demo.cast import PASSWORD, Cast, Player, new_key

API = "/api/v1"
CURRENCY = "EUR"
TYPE = "reseller"
MAKER_EMAIL = "channel@demo.example"
# What was ordered of each partner before the first payout run, and since.
PAID = (("Pump station", "4800.00"), ("Spare seals", "310.00"))
SINCE = (("Control valves", "7200.00"), ("Pump service kit", "950.00"))
TIERS = {
    "bronze": (0, {"sale_percent": "3", "fund_percent": "1"}),
    "silver": (40, {"sale_percent": "5", "fund_percent": "2", "points_per_major": "1"}),
}
PARTNERS = (("silver", "north"), ("silver", "south"), ("bronze", "north"), ("bronze", "south"))
IBANS = ("DE89370400440532013000", "FR1420041010050500013M02606", "GB82WEST12345698765432")
OPERATOR_IBAN = "NL91ABNA0417164300"


class Programme(msgspec.Struct, frozen=True):
    """The calls of the people, and the agreements as answered, in the order of the partners."""

    maker: RestClient
    checker: RestClient
    partners: list[Player]
    agreements: list[dict[str, Any]]


async def found(base_url: str, database: Database, cast: Cast) -> Programme:
    """Publish a programme and agree with the first suppliers. Raises ApiProblem, OSError."""
    await _add_channel_manager(database, cast.operator_email)
    maker = RestClient(base_url, await _key(base_url, MAKER_EMAIL))
    checker = RestClient(base_url, await _key(base_url, cast.operator_email))
    made = await maker.post(
        f"{API}/programmes",
        {"name": "Water Network", "currency": CURRENCY, "tiers": [_tier(code) for code in TIERS]},
    )
    await maker.post(f"{API}/programmes/{made['id']}/versions/1/publish")
    partners = cast.bots[: len(PARTNERS)]
    agreements = []
    for partner, (tier, region) in zip(partners, PARTNERS, strict=True):
        terms = {
            "partner_id": partner.organisation_id,
            "programme_id": made["id"],
            "partner_type": TYPE,
            "tier": tier,
            "region": region,
            "from": _in_days(-200),
            "payout": {"asset": CURRENCY, "minimum": "25.00", "hold_days": 0},
        }
        draft = await maker.post(f"{API}/agreements", terms)
        agreements.append(await maker.post(f"{API}/agreements/{draft['id']}/activate"))
    return Programme(maker, checker, partners, agreements)


async def earn(programme: Programme, buyer: Player) -> None:
    """Orders, a claim, a paid run, a proposed one, and acts. Raises ApiProblem, OSError."""
    for partner, iban in zip(programme.partners, IBANS, strict=False):
        account = {"holder": partner.name, "iban": iban}
        await partner.rest.call("PUT", f"{API}/bank_account", account)
    own = {"holder": "Demo Marketplace", "iban": OPERATOR_IBAN}
    await programme.checker.call("PUT", f"{API}/bank_account", own)
    orders = await _sell(programme, buyer, PAID)
    await _claim(programme.partners[0], buyer, orders[0])
    run = await programme.maker.post(f"{API}/payout_runs", {"until": _in_days(0)})
    await programme.checker.post(f"{API}/payout_runs/{run['id']}/approve")
    for number, payout in enumerate(run["payouts"], start=1):
        paid = {"at": _in_days(0), "reference": f"BANK-{number:04}"}
        await programme.checker.post(f"{API}/payouts/{payout['id']}/paid", paid)
    await _sell(programme, buyer, SINCE)
    await programme.maker.post(f"{API}/payout_runs", {"until": _in_days(0)})
    await programme.maker.post(f"{API}/act_runs", {"period": _in_days(0)[:7]})


async def _add_channel_manager(database: Database, operator_email: str) -> None:
    """A colleague who proposes, so that the operator's administrator can release."""
    password_hash = await Passwords().hash(PASSWORD)
    user = NewUser(name="Chris Channel", email=MAKER_EMAIL, password=PASSWORD)
    async with database.transaction(SYSTEM) as session:
        operator = await accounts.user_by_email(session, operator_email)
        if operator is None:
            raise NotFound("operator")
        roles = frozenset(["channel_manager"])
        now = Clock().now()
        await add_user(session, now, operator.organisation_id, user, password_hash, roles)


async def _key(base_url: str, email: str) -> str:
    return await asyncio.to_thread(new_key, base_url, email)


def _tier(code: str) -> dict[str, Any]:
    threshold, reward = TIERS[code]
    sales = {"measure": "sales", "target": "10000.00", "score": 40, "period_days": 365}
    return {
        "code": code,
        "partner_type": TYPE,
        "threshold": threshold,
        "parameters": [sales] if threshold else [],
        "reward": reward,
    }


def _in_days(days: float) -> str:
    return (Clock().now() + timedelta(days=days)).isoformat()


async def _sell(
    programme: Programme, buyer: Player, sold: Sequence[tuple[str, str]]
) -> list[dict[str, Any]]:
    """An accepted order of each thing with each partner; dearer with each next partner."""
    orders = []
    for place, partner in enumerate(programme.partners):
        for name, amount in sold:
            price = {"amount": f"{Decimal(amount) * (4 + place) / 4:.2f}", "currency": CURRENCY}
            line = {"name": name, "quantity": "1", "unit": "C62", "price": price}
            basket = {
                "title": name,
                "currency": CURRENCY,
                "supplier_id": partner.organisation_id,
                "lines": [line],
                "due_at": _in_days(10),
            }
            order = await buyer.rest.post(f"{API}/orders", basket)
            path = f"{API}/orders/{order['id']}"
            await partner.rest.post(f"{path}/confirm")
            delivered = {"lines": [{"position": 0, "quantity": "1"}]}
            await partner.rest.post(f"{path}/deliveries", delivered)
            orders.append(await buyer.rest.post(f"{path}/moves/accept"))
    return orders


async def _claim(partner: Player, buyer: Player, order: dict[str, Any]) -> None:
    """A quarter of the first order was not as agreed."""
    complaint = {"kind": "quality", "severity_bp": 2_500, "description": "One seal leaks"}
    claim = await buyer.rest.post(f"{API}/orders/{order['id']}/claims", complaint)
    await partner.rest.post(f"{API}/claims/{claim['id']}/moves/uphold")
