"""Organisations and items can be retired."""

from __future__ import annotations

from alembic import op

revision = "0060"
down_revision = "0032"


def upgrade() -> None:
    op.execute(
        "ALTER TABLE organisations DROP CONSTRAINT ck_organisations_state,"
        " ADD CONSTRAINT ck_organisations_state"
        " CHECK (state IN ('prospect', 'active', 'suspended', 'retired'))"
    )
    op.execute(
        "ALTER TABLE items DROP CONSTRAINT items_state_check,"
        " ADD CONSTRAINT ck_items_state CHECK (state IN ('active', 'blocked', 'retired'))"
    )
