"""How an uploader says a file is to be read, and what a list remembers of it."""

from __future__ import annotations

from alembic import op

revision = "0045"
down_revision = "0061"


def upgrade() -> None:
    op.execute("ALTER TABLE price_imports ADD COLUMN reading jsonb NOT NULL DEFAULT '{}'")
    op.execute(
        "UPDATE price_imports SET reading = jsonb_build_object('columns', columns)"
        " WHERE columns IS NOT NULL"
    )
    op.execute("ALTER TABLE price_imports DROP COLUMN columns")
    op.execute("ALTER TABLE price_lists ADD COLUMN reading jsonb NOT NULL DEFAULT '{}'")
