"""Programmes and agreements for tests, made through the public API."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from httpx import Response

from tests.answers import ok
from tests.people import Person, unique

API = "/api/v1"
EUR = "EUR"
TYPE = "reseller"


def days(count: float) -> str:
    return (datetime.now(UTC) + timedelta(days=count)).isoformat()


def parameter(measure: str, target: str, score: int, **changes: Any) -> dict[str, Any]:
    return {"measure": measure, "target": target, "score": score} | changes


def tier(code: str, threshold: int, *parameters: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {
        "code": code,
        "partner_type": TYPE,
        "threshold": threshold,
        "parameters": list(parameters),
        "reward": {"sale_percent": "2.50", "fund_percent": "1"},
    } | changes


BRONZE = tier("bronze", 20, parameter("sales", "20.00", 20, period_days=365))
SILVER = tier(
    "silver",
    40,
    parameter("sales", "50.00", 20, period_days=365),
    parameter("certificates", "1", 20),
)


def programme(*tiers: dict[str, Any]) -> dict[str, Any]:
    return {"name": unique("Partners"), "currency": EUR, "tiers": list(tiers) or [BRONZE, SILVER]}


def terms(partner: Person, made: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {
        "partner_id": str(partner.organisation_id),
        "programme_id": made["id"],
        "partner_type": TYPE,
        "from": days(-400),
        "payout": {"asset": EUR, "minimum": "50.00", "hold_days": 30},
    } | changes


async def published(operator: Person, *tiers: dict[str, Any], **changes: Any) -> dict[str, Any]:
    body = programme(*tiers) | changes
    made: dict[str, Any] = ok(await operator.client.post(f"{API}/programmes", json=body), 201)
    ok(await operator.client.post(f"{API}/programmes/{made['id']}/versions/1/publish"))
    return made


async def drafted(operator: Person, partner: Person, **changes: Any) -> dict[str, Any]:
    made = changes.pop("made", None) or await published(operator)
    body = terms(partner, made, **changes)
    agreement: dict[str, Any] = ok(await operator.client.post(f"{API}/agreements", json=body), 201)
    return agreement


async def act(actor: Person, agreement: dict[str, Any], event: str, **body: Any) -> Response:
    path = f"{API}/agreements/{agreement['id']}/{event}"
    return await actor.client.post(path, json=body or None)


async def partnered(operator: Person, partner: Person, **changes: Any) -> dict[str, Any]:
    """An active agreement."""
    agreement = await drafted(operator, partner, **changes)
    active: dict[str, Any] = ok(await act(operator, agreement, "activate"))
    return active


async def certify(
    operator: Person, partner: Person, agreement: dict[str, Any], **changes: Any
) -> dict[str, Any]:
    body = {
        "person": str(partner.user_id),
        "course": "Basics",
        "issued_at": days(-10),
        "expires_at": days(100),
    } | changes
    done: dict[str, Any] = ok(await act(operator, agreement, "certificates", **body), 201)
    return done


async def planned(person: Person, agreement: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A draft of this person's side: half a month into its month."""
    body = {
        "agreement_id": agreement["id"],
        "from": days(-15),
        "to": days(15),
        "targets": [{"measure": "sales", "target": "60.00"}],
        "payout_formula": "sales * 0.02 if sales >= sales_target else 0",
    } | changes
    plan: dict[str, Any] = ok(await person.client.post(f"{API}/plans", json=body), 201)
    return plan


async def read(person: Person, path: str, status: int = 200) -> Any:
    return ok(await person.client.get(f"{API}/{path}"), status)
