"""Tenders for tests, made through the public API."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from httpx import Response
from sqlalchemy import text

from marketplace.kernel.db import SYSTEM, Database
from tests.answers import ok, refused
from tests.people import Person, unique

__all__ = ["ok", "refused"]
"""Some tests take them from here, beside what they do with tenders."""

URL = "/api/v1/tenders"


def in_seconds(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")


def english(starts_in_s: float = 3_600, **changes: Any) -> dict[str, Any]:
    """Rules of a plain English auction."""
    return {
        "format": "english",
        "starts_at": in_seconds(starts_in_s),
        "duration_s": 1200,
        "step": {"against": "own", "kind": "amount", "value": "50.00", "bands": []},
        "scoring": {"kind": "price"},
        "visibility": "rank_and_lead",
    } | changes


def lot(title: str = "400 pumps", **changes: Any) -> dict[str, Any]:
    return {
        "title": title,
        "items": [{"name": "Pump", "quantity": "400", "unit": "C62"}],
        "ceiling": {"amount": "500000.00", "currency": "EUR"},
        "rules": english(),
    } | changes


def tender(**changes: Any) -> dict[str, Any]:
    return {
        "title": unique("Pumps"),
        "currency": "EUR",
        "access": "invited",
        "lots": [lot()],
    } | changes


async def draft(buyer: Person, **changes: Any) -> dict[str, Any]:
    made: dict[str, Any] = ok(await buyer.client.post(URL, json=tender(**changes)), 201)
    return made


async def act(person: Person, tender_id: str, event: str, **body: Any) -> Response:
    """POST /tenders/{id}/{event}."""
    return await person.client.post(f"{URL}/{tender_id}/{event}", json=body or None)


async def invite(buyer: Person, tender_id: str, *suppliers: Person | UUID) -> Response:
    ids = [str(s.organisation_id if isinstance(s, Person) else s) for s in suppliers]
    return await act(buyer, tender_id, "invitations", organisations=ids)


async def published(buyer: Person, *suppliers: Person, **changes: Any) -> dict[str, Any]:
    """A published tender to which `suppliers` are invited."""
    made = await draft(buyer, **changes)
    if suppliers:
        ok(await invite(buyer, made["id"], *suppliers), 201)
    done: dict[str, Any] = ok(await act(buyer, made["id"], "publish"))
    return done


async def join(supplier: Person, tender_id: str) -> dict[str, Any]:
    done: dict[str, Any] = ok(await act(supplier, tender_id, "participation", accept_terms=True))
    return done


async def overdue(database: Database, tender_id: str) -> None:
    """The last minute of the sealed offers is over, just now: roles held before count."""
    async with database.transaction(SYSTEM) as session:
        await session.execute(
            text("UPDATE tenders SET offers_due_at = now() WHERE id = :id"),
            {"id": tender_id},
        )
