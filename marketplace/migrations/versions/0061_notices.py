"""How far an auction was read for notices; invitations can be declined."""

from __future__ import annotations

from alembic import op

revision = "0061"
down_revision = "0026"


def upgrade() -> None:
    op.execute(
        "ALTER TABLE auctions ADD COLUMN start_announced_at timestamptz,"
        " ADD COLUMN announced_seq bigint NOT NULL DEFAULT 0,"
        " ADD COLUMN announced_leader text"
    )
    op.execute(
        "ALTER TABLE tender_invitations ADD COLUMN declined_at timestamptz,"
        " ADD COLUMN decline_reason text"
    )
