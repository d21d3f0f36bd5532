"""What a migration must not lose: data written under the schema before it."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import asyncpg
from sqlalchemy import text

from marketplace.documents import queries
from marketplace.kernel.db import SYSTEM, Database
from marketplace.kernel.ids import new_id
from marketplace.migrations.run import migrate

BEFORE = "0140-1"
"""The last schema with a table of documents for each subject."""

NOW = datetime(2026, 11, 30, tzinfo=UTC)


async def test_documents_of_orders_and_tenders_outlive_the_move_into_one_table(
    empty_database: str,
) -> None:
    await migrate(empty_database, BEFORE)
    connection = await asyncpg.connect(empty_database)
    ids = {name: new_id() for name in ("buyer", "supplier", "author", "order", "claim", "tender")}
    try:
        of_order, of_tender = await _documents_before(connection, ids)
    finally:
        await connection.close()
    await migrate(empty_database)
    database = Database(empty_database)
    try:
        async with database.transaction(SYSTEM) as session:
            [order] = await queries.documents(session, "order", ids["order"])
            [tender] = await queries.documents(session, "tender", ids["tender"])
            assert (order.id, order.part_id, order.organisation_id, order.name, order.version) == (
                *(of_order, ids["claim"], ids["supplier"]),
                *("leak.png", 2),
            )
            assert (order.accepted_by, order.accepted_at) == (ids["author"], NOW)
            assert (tender.id, tender.part_id, tender.organisation_id, tender.internal) == (
                *(of_tender, None, ids["buyer"]),
                True,
            )
            assert [await queries.chunk(session, of_order, part) for part in range(3)] == [
                *(b"one", b"two"),
                None,
            ]
            assert await queries.chunk(session, of_tender, 0) == b"drawing"
            gone = await session.execute(
                text("SELECT count(*) FROM pg_class WHERE relname LIKE '%r\\_document%'")
            )
            assert gone.scalar_one() == 0
    finally:
        await database.close()


async def _documents_before(
    connection: asyncpg.Connection, ids: dict[str, UUID]
) -> tuple[UUID, UUID]:
    """A document of an order's claim, and one of a tender, as they were stored before."""
    for number, name in enumerate(("buyer", "supplier")):
        await connection.execute(
            "INSERT INTO organisations (id, name, country, tax_id, tax_id_normal, capabilities,"
            " state, created_at) VALUES ($1, $2, 'DE', $2, $3, '{buys}', 'active', $4)",
            *(ids[name], name, str(number), NOW),
        )
    await connection.execute(
        "INSERT INTO users (id, organisation_id, name, email, email_normal, password_hash,"
        " created_at) VALUES ($1, $2, 'A', 'a@example.com', 'a@example.com', '-', $3)",
        *(ids["author"], ids["buyer"], NOW),
    )
    await connection.execute(
        "INSERT INTO orders (id, number, buyer_id, supplier_id, author_id, origin, title, currency,"
        " state, created_at, updated_at)"
        " VALUES ($1, 1, $2, $3, $4, 'basket', 'Pumps', 'EUR', 'accepted', $5, $5)",
        *(ids["order"], ids["buyer"], ids["supplier"], ids["author"], NOW),
    )
    await connection.execute(
        "INSERT INTO order_claims (id, order_id, number, buyer_id, supplier_id, author_id, kind,"
        " severity_bp, description, state, created_at)"
        " VALUES ($1, $2, 1, $3, $4, $5, 'quality', 100, 'Leaks', 'open', $6)",
        *(ids["claim"], ids["order"], ids["buyer"], ids["supplier"], ids["author"], NOW),
    )
    await connection.execute(
        "INSERT INTO tenders (id, buyer_id, author_id, title, currency, created_at, updated_at)"
        " VALUES ($1, $2, $3, 'Pumps', 'EUR', $4, $4)",
        *(ids["tender"], ids["buyer"], ids["author"], NOW),
    )
    of_order, of_tender = new_id(), new_id()
    await connection.execute(
        "INSERT INTO order_documents (id, order_id, claim_id, organisation_id, name, version,"
        " media_type, size_bytes, sha256, author_id, created_at, accepted_by, accepted_at)"
        " VALUES ($1, $2, $3, $4, 'leak.png', 2, 'image/png', 6, repeat('a', 64), $5, $6, $5, $6)",
        *(of_order, ids["order"], ids["claim"], ids["supplier"], ids["author"], NOW),
    )
    for position, content in enumerate((b"one", b"two")):
        await connection.execute(
            "INSERT INTO order_document_chunks VALUES ($1, $2, $3)", of_order, position, content
        )
    await connection.execute(
        "INSERT INTO tender_documents (id, tender_id, buyer_id, name, version, media_type,"
        " size_bytes, sha256, internal, author_id, created_at)"
        " VALUES ($1, $2, $3, 'd.pdf', 1, 'application/pdf', 7, repeat('b', 64), true, $4, $5)",
        *(of_tender, ids["tender"], ids["buyer"], ids["author"], NOW),
    )
    await connection.execute(
        "INSERT INTO tender_document_chunks VALUES ($1, 0, $2, $3)",
        *(of_tender, ids["buyer"], b"drawing"),
    )
    return of_order, of_tender
