"""The rules of a lot as the terms of an auction."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from auctions.rules.core.parameters import Terms
from auctions.rules.terms.read import read_terms
from auctions.tenders.models import Lot, Tender
from marketplace.kernel.clock import rfc3339, to_micros
from marketplace.kernel.money import exponent_of, format_minor


def lot_terms(
    tender: Tender,
    lot: Lot,
    auction_id: UUID,
    bidders: int | None,
    starts_at: datetime | None = None,
) -> Terms:
    """`starts_at` replaces the start in the rules. Raises Invalid (paths below the rules)."""
    written = lot.rules
    if starts_at is not None:
        written = written | {"starts_at": rfc3339(to_micros(starts_at))}
    ceiling = lot.ceiling_minor
    return read_terms(
        written,
        auction=str(auction_id),
        currency=tender.currency,
        ceiling=None if ceiling is None else format_minor(ceiling, exponent_of(tender.currency)),
        bidders=bidders,
    )
