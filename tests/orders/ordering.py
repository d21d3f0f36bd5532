"""Orders for tests, made through the public API."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from httpx import Response

from tests.answers import ok, refused
from tests.people import Person

__all__ = ["ok", "refused"]
"""Some tests take them from here, beside what they do with orders."""

URL = "/api/v1/orders"
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 64


def in_days(days: float) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).isoformat()


def line(**changes: Any) -> dict[str, Any]:
    return {
        "name": "Pump",
        "quantity": "12",
        "unit": "C62",
        "price": {"amount": "10.00", "currency": "EUR"},
        "price_unit": "5",
    } | changes


def basket(supplier: Person, **changes: Any) -> dict[str, Any]:
    return {
        "title": "Spare pumps",
        "currency": "EUR",
        "supplier_id": str(supplier.organisation_id),
        "lines": [line(), line(name="Seal", quantity="3")],
        "due_at": in_days(10),
    } | changes


async def ordered(buyer: Person, supplier: Person, **changes: Any) -> dict[str, Any]:
    made: dict[str, Any] = ok(await buyer.client.post(URL, json=basket(supplier, **changes)), 201)
    return made


async def act(person: Person, order: dict[str, Any], event: str, **body: Any) -> Response:
    return await person.client.post(f"{URL}/{order['id']}/moves/{event}", json=body or None)


async def confirm(supplier: Person, order: dict[str, Any]) -> dict[str, Any]:
    done: dict[str, Any] = ok(await supplier.client.post(f"{URL}/{order['id']}/confirm"))
    return done


async def deliver(supplier: Person, order: dict[str, Any], *quantities: str) -> Response:
    lines = [
        {"position": position, "quantity": quantity}
        for position, quantity in enumerate(quantities)
        if quantity != "0"
    ]
    body = {"lines": lines, "carrier": "Freight", "tracking": "T-1"}
    return await supplier.client.post(f"{URL}/{order['id']}/deliveries", json=body)


async def accepted(buyer: Person, supplier: Person, **changes: Any) -> dict[str, Any]:
    """An order through to its acceptance."""
    made = await ordered(buyer, supplier, **changes)
    await confirm(supplier, made)
    ok(await deliver(supplier, made, *(each["quantity"] for each in made["lines"])), 201)
    done: dict[str, Any] = ok(await act(buyer, made, "accept"))
    return done


async def claimed(buyer: Person, order: dict[str, Any], **changes: Any) -> dict[str, Any]:
    body = {"kind": "quality", "severity_bp": 5_000, "description": "Leaks"} | changes
    made: dict[str, Any] = ok(
        await buyer.client.post(f"{URL}/{order['id']}/claims", json=body), 201
    )
    return made


async def decide(person: Person, claim: dict[str, Any], event: str, **body: Any) -> Response:
    return await person.client.post(
        f"/api/v1/claims/{claim['id']}/moves/{event}", json=body or None
    )
