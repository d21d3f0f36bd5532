"""Auctions for the browser tests, made through the public API."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from datetime import UTC, timedelta
from typing import Any

import msgspec

from marketplace.kernel.clock import Clock
from tests.people import NewPerson, Person

OPEN_TIMEOUT_S = 20
_STEP = {"against": "own", "kind": "amount", "value": "50.00", "bands": []}

_cids = itertools.count(1)


class Arena(msgspec.Struct, frozen=True):
    """A published tender with one auction and the suppliers that accepted its terms.

    Bids come in over another node than the one at `site`, which shows the pages and is asked.
    """

    buyer: Person
    suppliers: list[Person]
    tender_id: str
    auction_id: str
    site: str

    @property
    def path(self) -> str:
        return f"/auctions/{self.auction_id}"

    async def bid(self, supplier: Person, price: str) -> dict[str, Any]:
        """A rival's bid over REST; must be accepted."""
        answer = await supplier.client.post(
            f"/api/v1{self.path}/bids", json={"cid": f"e2e-{next(_cids)}", "price": price}
        )
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    async def view(self, person: Person) -> dict[str, Any]:
        answer = await person.client.get(f"{self.site}/api/v1{self.path}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def command(self, name: str, **body: object) -> None:
        """One of the buyer's commands."""
        answer = await self.buyer.client.post(f"/api/v1{self.path}/{name}", json=body)
        assert answer.status_code == 200, answer.text


NewArena = Callable[..., Awaitable[Arena]]


async def open_arena(
    new_buyer: NewPerson,
    new_supplier: NewPerson,
    site: str,
    *,
    suppliers: int = 2,
    visibility: str = "all",
    window_s: int = 0,
    duration_s: int = 600,
    rules: dict[str, Any] | None = None,
    ceiling: str | None = "50000.00",
    opens_in_s: float = 0.3,
    wait: bool = True,
    title: str = "Pumps for plant 2",
    buyer_name: str | None = None,
    supplier_name: str | None = None,
    fields: dict[str, Any] | None = None,
) -> Arena:
    """It is open when this returns, unless it need not `wait`; `window_s` as long as the duration
    makes every bid extend.

    `rules` goes over those of an English auction; another `format` replaces them, but for start,
    ties, visibility and typo guard. `supplier_name` is that of the first one,
    `fields` goes over those of the tender.
    """
    buyer = await new_buyer(buyer_name)
    names = [supplier_name, *[None] * (suppliers - 1)]
    people = [await new_supplier(name) for name in names]
    starts_at = Clock().now().astimezone(UTC) + timedelta(seconds=opens_in_s)
    agreed: dict[str, Any] = {
        "starts_at": starts_at.isoformat(),
        "scoring": {"kind": "price"},
        "ties": "allowed",
        "visibility": visibility,
        "typo_guard_percent": "30",
    }
    if (rules or {}).get("format", "english") == "english":
        agreed |= {"format": "english", "duration_s": duration_s, "step": _STEP}
    if window_s:
        agreed["overtime"] = {"window_s": window_s, "extend_s": 120, "from": "close"}
    agreed |= rules or {}
    tender = {
        "title": title,
        "currency": "EUR",
        "access": "invited",
        "invitations": [str(person.organisation_id) for person in people],
        "lots": [
            {
                "title": "400 pumps",
                "items": [{"name": "Pump", "quantity": "400", "unit": "C62"}],
                "rules": agreed,
            }
            | ({"ceiling": {"amount": ceiling, "currency": "EUR"}} if ceiling else {})
        ],
    } | (fields or {})
    made = await buyer.client.post("/api/v1/tenders", json=tender)
    assert made.status_code == 201, made.text
    tender_id = made.json()["id"]
    published = await buyer.client.post(f"/api/v1/tenders/{tender_id}/publish")
    assert published.status_code == 200, published.text
    for person in people:
        joined = await person.client.post(
            f"/api/v1/tenders/{tender_id}/participation", json={"accept_terms": True}
        )
        assert joined.status_code == 200, joined.text
    auction_id = published.json()["lots"][0]["auction_id"]
    arena = Arena(buyer, people, tender_id, auction_id, site)
    async with asyncio.timeout(OPEN_TIMEOUT_S):
        while wait and (await arena.view(buyer))["state"] != "open":  # noqa: ASYNC110  # over HTTP
            await asyncio.sleep(0.05)
    return arena
