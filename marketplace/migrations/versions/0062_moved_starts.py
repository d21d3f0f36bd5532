"""An addendum can move the start of an auction; its log must hear of it."""

from __future__ import annotations

from alembic import op

revision = "0062"
down_revision = "0045"


def upgrade() -> None:
    op.execute(
        "ALTER TABLE auctions ADD COLUMN start_moves integer NOT NULL DEFAULT 0,"
        " ADD COLUMN start_moves_sent integer NOT NULL DEFAULT 0,"
        " ADD COLUMN start_reason text"
    )
    op.execute(
        "CREATE INDEX ix_auctions_start_moves ON auctions (id) WHERE start_moves > start_moves_sent"
    )
