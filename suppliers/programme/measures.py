"""What can be measured of a partner: one registry that tiers, plans, monitoring and all pages read,
so that a figure never differs between two screens.

A measure is a query of facts (what it was, when, how much) and the way they add up. Each reads many
partners in one statement. Measures of upper floors are handed in at assembly (`web/wiring.py`).
Who reads must have been allowed to before: a measure is read in the system scope.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

import msgspec

from marketplace.kernel.money import exponent_of
from marketplace.kernel.statements import Source, Statement

FACTS_MAX = 100
"""Facts shown behind one figure: a screen of them; the newest come first."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """partners   whose figures
    operator_id  with whom their agreement is
    currency     sales in others do not count
    begins, ends half-open; None: since ever
    """

    partners: Sequence[UUID]
    operator_id: UUID
    currency: str
    begins: datetime | None
    ends: datetime


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """One thing behind a figure."""

    kind: str
    id: UUID
    at: datetime
    title: str
    value: Decimal


Read = Callable[[Source, Asked], Awaitable[dict[UUID, Decimal]]]
"""Partner → value; a partner of whom there is nothing to measure is missing."""
ReadFacts = Callable[[Source, Asked], Awaitable[list[Fact]]]
"""Of the one partner that is asked for, the newest first, at most FACTS_MAX."""


async def _no_facts(source: Source, asked: Asked) -> list[Fact]:
    return []


class Measure(msgspec.Struct, frozen=True, kw_only=True):
    """unit   `money` in the asked currency, `count`, `percent` or `points`
    feeds  in words, what it is made from
    """

    code: str
    unit: str
    title: str
    feeds: str
    read: Read
    facts: ReadFacts = _no_facts


def _measure(code: str, unit: str, title: str, feeds: str, facts: str, total: str) -> Measure:
    """`facts`: a query of partner_id, kind, id, at, title, value; `total`: how `value` adds up."""
    totals = Statement(
        f"""SELECT asked.partner_id, {total} AS value
        FROM unnest(CAST(:partners AS uuid[])) AS asked (partner_id)
            LEFT JOIN ({facts}) fact ON fact.partner_id = asked.partner_id
        GROUP BY asked.partner_id"""  # noqa: S608  # constants only
    )
    newest = Statement(
        f"SELECT kind, id, at, title, value FROM ({facts}) fact"  # noqa: S608  # constants only
        f" ORDER BY at DESC, id DESC LIMIT {FACTS_MAX}"
    )

    async def read(source: Source, asked: Asked) -> dict[UUID, Decimal]:
        rows = await totals.rows(source, **_values(asked, totals))
        return {row["partner_id"]: row["value"] for row in rows if row["value"] is not None}

    async def read_facts(source: Source, asked: Asked) -> list[Fact]:
        rows = await newest.rows(source, **_values(asked, newest))
        return [Fact(**row) for row in rows]

    return Measure(code=code, unit=unit, title=title, feeds=feeds, read=read, facts=read_facts)


def _values(asked: Asked, statement: Statement) -> dict[str, object]:
    values = {
        "partners": list(asked.partners),
        "currency": asked.currency,
        "scale": Decimal(10) ** exponent_of(asked.currency),
        "begins": asked.begins,
        "ends": asked.ends,
    }
    return {name: values[name] for name in statement.names}


_SUM = "coalesce(sum(fact.value), 0)"
_MEAN = "avg(fact.value)"

# A sale counts by what is left of it, in the asked currency only: nothing is converted in silence.
_SALES = """SELECT s.partner_id, s.source_kind AS kind, s.title, s.customer_id,
        CASE s.source_kind WHEN 'order' THEN CAST(s.source_id AS uuid) ELSE s.id END AS id,
        s.completed_at AS at, {value} AS value
    FROM sales s
    WHERE s.partner_id = ANY (CAST(:partners AS uuid[]))
        AND (CAST(:begins AS timestamptz) IS NULL
            OR s.completed_at >= CAST(:begins AS timestamptz))
        AND s.completed_at < CAST(:ends AS timestamptz)"""
_LEFT = " AND s.amount_minor > s.refunded_minor"
_CUSTOMERS = f"""SELECT DISTINCT ON (sale.partner_id, sale.customer_id) *
    FROM ({_SALES.format(value="1::numeric")} {_LEFT} AND s.customer_id IS NOT NULL) sale
    ORDER BY sale.partner_id, sale.customer_id, sale.at DESC"""  # noqa: S608  # constants only

# Of each person and course one certificate at most, whichever counts at the end of the period.
_CERTIFICATES = """SELECT DISTINCT ON (c.partner_id, c.user_id, c.course) c.partner_id,
        'certificate' AS kind, c.id, c.issued_at AS at, c.course AS title, 1::numeric AS value
    FROM certificates c JOIN users u ON u.id = c.user_id
    WHERE c.partner_id = ANY (CAST(:partners AS uuid[]))
        AND c.issued_at <= CAST(:ends AS timestamptz)
        AND (c.expires_at IS NULL OR c.expires_at > CAST(:ends AS timestamptz))
        AND (c.revoked_at IS NULL OR c.revoked_at > CAST(:ends AS timestamptz))
        AND u.organisation_id = c.partner_id
        AND (u.disabled_at IS NULL OR u.disabled_at > CAST(:ends AS timestamptz))
    ORDER BY c.partner_id, c.user_id, c.course, c.issued_at DESC"""

_CLAIMED = """CASE WHEN EXISTS (SELECT FROM order_claims claim
        WHERE claim.order_id = CAST(s.source_id AS uuid) AND claim.state = 'upheld')
        THEN 100 ELSE 0 END::numeric"""
# An order of which everything was rightly complained about is accepted all the same.
_ACCEPTED = """ AND s.source_kind = 'order' AND NOT EXISTS (SELECT FROM sale_refunds r
        WHERE r.sale_id = s.id AND r.reference = 'reopened')"""

OWN = (
    _measure(
        "sales",
        "money",
        "Sales",
        "Won sales in the programme's currency, less what was taken back.",
        _SALES.format(value="(s.amount_minor - s.refunded_minor) / CAST(:scale AS numeric)")
        + _LEFT
        + " AND s.currency = CAST(:currency AS text)",
        _SUM,
    ),
    _measure(
        "orders",
        "count",
        "Orders",
        "Won sales, in any currency, that were not wholly taken back.",
        _SALES.format(value="1::numeric") + _LEFT,
        _SUM,
    ),
    _measure(
        "customers",
        "count",
        "Customers",
        "Different customers that bought.",
        _CUSTOMERS,
        _SUM,
    ),
    _measure(
        "claims_percent",
        "percent",
        "Orders with an upheld claim",
        "Accepted orders of which a claim was upheld, in percent of all accepted orders.",
        _SALES.format(value=_CLAIMED) + _ACCEPTED,
        _MEAN,
    ),
    _measure(
        "certificates",
        "count",
        "Certificates",
        "Valid certificates of members, each person and course once.",
        _CERTIFICATES,
        _SUM,
    ),
)


class Measures:
    """The registry of one process."""

    def __init__(self, *handed_in: Measure) -> None:
        self._by_code = {measure.code: measure for measure in (*OWN, *handed_in)}

    def __iter__(self) -> Iterator[Measure]:
        return iter(self._by_code.values())

    def __getitem__(self, code: str) -> Measure:
        return self._by_code[code]

    @property
    def codes(self) -> frozenset[str]:
        return frozenset(self._by_code)
