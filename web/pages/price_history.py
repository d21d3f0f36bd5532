"""What a price was, as known on a day, for a day: a chart, and the same figures as a table."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from typing import NamedTuple

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from pricing.lists import service as lists
from pricing.lists.schemas import HistoryEntry, LineView, PriceListView
from pricing.lists.service.prices import HISTORY_MAX


class Span(NamedTuple):
    """One line of prices and the time in which it was the published one; `until` None: still."""

    since: datetime
    until: datetime | None
    line: LineView

    @property
    def series(self) -> str:
        """What one curve of the chart stands for: a price per unit from a quantity on."""
        return f"{self.line.min_quantity}+ {self.line.unit} · {self.line.price.currency}"


class Asked(NamedTuple):
    """What the page was asked: an article, as known on a day (None: ever), for a day."""

    sku: str
    known_on: date | None
    on: date


class Answer(NamedTuple):
    """`known` are the prices as known on the asked day; `shortened`: older ones are left out."""

    spans: list[Span]
    known: list[Span]
    shortened: bool


def day_of(text: str | None) -> date | None:
    """None for what is no ISO date."""
    try:
        return date.fromisoformat(text or "")
    except ValueError:
        return None


async def read(session: AsyncSession, shown: PriceListView, asked: Asked) -> Answer:
    """The article's prices in this list for the asked day, newest knowledge first."""
    found = await lists.history(session, shown.supplier_id, asked.sku, known_at=None, on=asked.on)
    spans = spans_of([entry for entry in found.items if entry.list.id == shown.id])
    known: list[Span] = []
    if asked.known_on is not None:
        end = datetime.combine(asked.known_on, time.max, UTC)
        known = [
            span for span in spans if span.since <= end and (span.until is None or span.until > end)
        ]
    return Answer(spans, known, len(found.items) >= HISTORY_MAX)


def spans_of(entries: Sequence[HistoryEntry]) -> list[Span]:
    """Newest first. A version that left a line as it was does not begin a new span."""
    spans: list[Span] = []
    places: dict[bytes, int] = {}
    for entry in entries:
        # The same price written anew, as after a rollback, is the same price.
        what = msgspec.structs.replace(entry.line, version=0, row=0)
        key = msgspec.json.encode(what)
        place = places.get(key)
        if place is not None and spans[place].since == entry.known_to:
            spans[place] = spans[place]._replace(since=entry.known_from, line=entry.line)
            continue
        places[key] = len(spans)
        spans.append(Span(entry.known_from, entry.known_to, entry.line))
    return spans
