"""When a session's person last gave a password or a code. Sessions of before must give one anew."""

from __future__ import annotations

from alembic import op

revision = "0026"
down_revision = "0023"


def upgrade() -> None:
    op.execute("ALTER TABLE sessions ADD COLUMN verified_at timestamptz NOT NULL DEFAULT 'epoch'")
    op.execute("ALTER TABLE sessions ALTER COLUMN verified_at DROP DEFAULT")
