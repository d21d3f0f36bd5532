"""How suppliers' SKUs find their shared item: the same SKU, the same GTIN, or a likeness."""

from __future__ import annotations

from typing import Any
from uuid import UUID

Connection = Any
"""An asyncpg connection; the library ships no types."""

# Nothing that somebody has decided by hand is decided again.
_EXACT = """INSERT INTO sku_mappings (supplier_id, sku, item_id, method, state, created_at)
    SELECT $1::uuid, i.sku, i.id, 'exact', 'confirmed', now()
    FROM items i CROSS JOIN LATERAL (SELECT 1 FROM price_lines l
        WHERE l.list_no = $2 AND l.sku = i.sku AND l.until IS NULL LIMIT 1) l
    ON CONFLICT (supplier_id, sku) DO NOTHING"""
_GTIN = """INSERT INTO sku_mappings (supplier_id, sku, item_id, method, state, created_at)
    SELECT DISTINCT ON (l.sku) $1::uuid, l.sku, i.id, 'gtin', 'confirmed', now()
    FROM items i CROSS JOIN LATERAL (SELECT l.sku FROM price_lines l
        WHERE l.list_no = $2 AND l.until IS NULL
            AND l.sku IN (i.gtin, lpad(i.gtin, 14, '0'), ltrim(i.gtin, '0')) LIMIT 1) l
    WHERE i.gtin IS NOT NULL
    ON CONFLICT (supplier_id, sku) DO NOTHING"""


async def map_list(connection: Connection, supplier_id: UUID, list_id: UUID) -> None:
    """Confirm what is certain for the current lines of a list: equal SKU, equal GTIN."""
    list_no = await connection.fetchval("SELECT list_no FROM price_lists WHERE id = $1", list_id)
    for statement in (_EXACT, _GTIN):
        await connection.execute(statement, supplier_id, list_no)
