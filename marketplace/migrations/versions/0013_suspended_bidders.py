"""Who is suspended leaves running auctions: when the house's Exclude was sent."""

from __future__ import annotations

from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.execute("ALTER TABLE auction_participants ADD COLUMN excluded_at timestamptz")
