"""Uploaded pieces are stored packed, and what a list's next upload is compared with in parts."""

from __future__ import annotations

from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.execute("ALTER TABLE price_import_chunks ADD COLUMN packed boolean NOT NULL DEFAULT false")
    # Only a memory of what the lines say: an upload that finds none compares every row.
    op.execute("DELETE FROM price_import_fingerprints")
    op.execute("ALTER TABLE price_import_fingerprints ADD COLUMN n integer NOT NULL")
    op.execute(
        "ALTER TABLE price_import_fingerprints DROP CONSTRAINT price_import_fingerprints_pkey,"
        " ADD PRIMARY KEY (import_id, n)"
    )
