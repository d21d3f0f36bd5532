"""Arenas with exactly the given rules, for formats that the usual english ones do not fit."""

from __future__ import annotations

from typing import Any

from tests.auctions.live.arena import Arena
from tests.auctions.tenders.tendering import in_seconds, join, lot, published
from tests.people import NewPerson


async def exact_arena(
    url: str,
    new_buyer: NewPerson,
    new_supplier: NewPerson,
    rules: dict[str, Any],
    *,
    suppliers: int = 3,
    starts_in_s: float = 0.3,
) -> Arena:
    """Published, with bidders that take part, about to open."""
    buyer = await new_buyer()
    people = [await new_supplier() for _ in range(suppliers)]
    given = {"starts_at": in_seconds(starts_in_s), **rules}
    tender = await published(buyer, *people, lots=[lot(rules=given)])
    auction_id = tender["lots"][0]["auction_id"]
    joined = [await join(person, tender["id"]) for person in people]
    return Arena(
        url=url,
        auction_id=auction_id,
        tender_id=tender["id"],
        buyer=buyer,
        suppliers=people,
        key=await buyer.api_key(),
        keys=[await person.api_key() for person in people],
        aliases=[each["aliases"][auction_id] for each in joined],
    )
