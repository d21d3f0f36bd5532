"""Whoever forgot the password gets a link by mail. Rows without an account are deleted at once."""

from __future__ import annotations

from alembic import op

from marketplace.migrations.policies import SCOPE, visible_to

revision = "0025"
down_revision = "0022"


def upgrade() -> None:
    op.execute(
        """CREATE TABLE password_resets (
            id uuid PRIMARY KEY,
            email_normal text NOT NULL,
            asked_at timestamptz NOT NULL,
            user_id uuid REFERENCES users,
            token_hash bytea UNIQUE,
            used_at timestamptz
        )"""
    )
    op.execute("CREATE INDEX ON password_resets (asked_at) WHERE token_hash IS NULL")
    op.execute("CREATE INDEX ON password_resets (user_id)")
    visible_to("password_resets", f"{SCOPE} = 'system'")
