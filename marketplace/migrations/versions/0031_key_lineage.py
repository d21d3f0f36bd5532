"""Keys know the keys they descend from; a stored answer belongs to the login that asked."""

from __future__ import annotations

from alembic import op

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    op.execute("ALTER TABLE api_keys ADD COLUMN lineage uuid[] NOT NULL DEFAULT '{}'")
    op.execute("ALTER TABLE idempotency_keys RENAME COLUMN user_id TO caller_id")
