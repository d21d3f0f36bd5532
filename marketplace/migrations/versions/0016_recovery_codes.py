"""Recovery codes: who lost the authenticator logs in with one of ten, each good once."""

from __future__ import annotations

from alembic import op

from marketplace.migrations.policies import tenant_table

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.execute(
        """CREATE TABLE recovery_codes (
            user_id uuid NOT NULL REFERENCES users,
            code_hash bytea NOT NULL,
            organisation_id uuid NOT NULL REFERENCES organisations,
            created_at timestamptz NOT NULL,
            used_at timestamptz,
            PRIMARY KEY (user_id, code_hash)
        )"""
    )
    tenant_table("recovery_codes")
