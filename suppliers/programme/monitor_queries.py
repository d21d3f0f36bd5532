"""What the channel manager monitors: one statement a report, whatever shows its rows."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.kernel.statements import Row, Statement

ROWS_MAX = 5_000
"""Of one report: what a spreadsheet still shows at once; narrower filters give the rest."""

# Everybody who ever had an agreement, where the newest one puts it; an active one before others.
_PARTNERS = """WITH partners AS (
        SELECT place.partner_id, coalesce(place.region, '') AS region, o.name
        FROM (SELECT DISTINCT ON (partner_id) partner_id, region, segment FROM agreements
            WHERE state <> 'draft' ORDER BY partner_id, (state = 'active') DESC, id DESC) place
            JOIN organisations o ON o.id = place.partner_id
        WHERE (CAST(:region AS text) IS NULL OR place.region = CAST(:region AS text))
            AND (CAST(:segment AS text) IS NULL OR place.segment = CAST(:segment AS text))
            AND (CAST(:under AS uuid) IS NULL OR place.partner_id = CAST(:under AS uuid)
                OR EXISTS (SELECT FROM organisation_closure c
                    WHERE c.ancestor_id = CAST(:under AS uuid)
                        AND c.descendant_id = place.partner_id))),
    won AS (SELECT s.*, p.region, p.name FROM sales s
        JOIN partners p ON p.partner_id = s.partner_id
        WHERE s.completed_at >= CAST(:begins AS timestamptz)
            AND s.completed_at < CAST(:ends AS timestamptz)),
    sold AS (SELECT * FROM won WHERE amount_minor > refunded_minor)"""

REPORTS = {
    "sales": Statement(
        f"""{_PARTNERS}
        SELECT region, name AS partner, currency, count(*) AS orders,
            count(DISTINCT customer_id) AS customers,
            sum(amount_minor - refunded_minor) AS amount
        FROM sold GROUP BY region, partner_id, name, currency
        ORDER BY region, amount DESC, name LIMIT {ROWS_MAX}"""  # noqa: S608  # constants only
    ),
    "service": Statement(
        f"""{_PARTNERS}, judged AS (SELECT won.*, EXISTS (SELECT FROM order_claims c
                WHERE c.order_id = CAST(won.source_id AS uuid) AND c.state = 'upheld') AS claimed
            FROM won WHERE source_kind = 'order' AND NOT EXISTS (SELECT FROM sale_refunds r
                WHERE r.sale_id = won.id AND r.reference = 'reopened'))
        SELECT region, name AS partner, count(*) AS orders,
            count(*) FILTER (WHERE claimed) AS claims,
            round(100.0 * count(*) FILTER (WHERE claimed) / count(*), 1) AS claims_percent
        FROM judged GROUP BY region, partner_id, name
        ORDER BY region, claims_percent DESC, name LIMIT {ROWS_MAX}"""  # noqa: S608  # constants only
    ),
    "wanted": Statement(
        f"""{_PARTNERS}
        SELECT sold.region, l.name AS product, l.unit, sold.currency, sum(l.quantity) AS quantity,
            sum(l.amount_minor) AS amount, count(DISTINCT sold.partner_id) AS partners
        FROM sold JOIN sale_lines l ON l.sale_id = sold.id
        GROUP BY sold.region, coalesce(l.item_id::text, l.name), l.name, l.unit, sold.currency
        ORDER BY sold.region, quantity DESC, l.name LIMIT {ROWS_MAX}"""  # noqa: S608  # constants only
    ),
}


class Filters(msgspec.Struct, frozen=True, kw_only=True):
    """Which partners and which time; None: all of them."""

    region: str | None
    segment: str | None
    under: UUID | None
    begins: datetime
    ends: datetime


async def report(session: AsyncSession, name: str, filters: Filters) -> list[dict[str, object]]:
    """Amounts in minor units."""
    values = msgspec.structs.asdict(filters)
    rows: list[Row] = list(await REPORTS[name].rows(session, **values))
    return [{key: _plain(value) for key, value in dict(row).items()} for row in rows]


def _plain(value: object) -> object:
    """A sum of whole numbers comes as a decimal."""
    if isinstance(value, Decimal) and value == value.to_integral_value():
        return int(value)
    return value
