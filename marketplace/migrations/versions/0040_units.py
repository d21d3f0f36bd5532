"""The whole list of units, with what converts, and the words that people write for them."""

from __future__ import annotations

from alembic import op
from sqlalchemy import text

from marketplace.kernel.units import CODE_OF_WORD, CODES, unit_of

revision = "0040"
down_revision = "0060"


def upgrade() -> None:
    units = [unit for code in sorted(CODES) if (unit := unit_of(code))]
    connection = op.get_bind()
    connection.execute(
        text(
            """INSERT INTO units (code, name, list_version, base_code, factor)
            SELECT e.code, e.name, 'built-in', e.base, e.factor
            FROM unnest(CAST(:codes AS text[]), CAST(:names AS text[]), CAST(:bases AS text[]),
                CAST(:factors AS numeric[])) e (code, name, base, factor)
            ON CONFLICT (code) DO UPDATE
            SET base_code = excluded.base_code, factor = excluded.factor"""
        ),
        {
            "codes": [unit.code for unit in units],
            "names": [unit.name for unit in units],
            "bases": [unit.base for unit in units],
            "factors": [unit.factor for unit in units],
        },
    )
    # A file that is known by its text was read with other units: the next upload compares each row.
    connection.execute(text("DELETE FROM price_import_fingerprints"))
    connection.execute(text("DELETE FROM unit_aliases"))
    connection.execute(
        text(
            "INSERT INTO unit_aliases (alias, code)"
            " SELECT * FROM unnest(CAST(:words AS text[]), CAST(:codes AS text[]))"
        ),
        {"words": list(CODE_OF_WORD), "codes": list(CODE_OF_WORD.values())},
    )
