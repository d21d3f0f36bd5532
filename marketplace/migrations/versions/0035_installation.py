"""Which master secret a database was set up with, to notice a wrong one at the start."""

from __future__ import annotations

from alembic import op

revision = "0035"
down_revision = "0040"


def upgrade() -> None:
    op.execute(
        """CREATE TABLE installation (
            single boolean PRIMARY KEY DEFAULT true CHECK (single),
            secret_check bytea NOT NULL,
            secret_changed_at timestamptz NOT NULL DEFAULT now()
        )"""
    )
    op.execute("ALTER TABLE installation ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE installation FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY installation_system ON installation"
        " USING (current_setting('app.scope', true) = 'system')"
        " WITH CHECK (current_setting('app.scope', true) = 'system')"
    )
