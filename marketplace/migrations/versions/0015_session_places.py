"""Where a login was made: its owner recognises it by the device and the address."""

from __future__ import annotations

from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.execute(
        "ALTER TABLE sessions ADD COLUMN device text NOT NULL DEFAULT '',"
        " ADD COLUMN address text NOT NULL DEFAULT ''"
    )
