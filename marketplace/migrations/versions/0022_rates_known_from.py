"""A rate is known from a moment on: a correction is a new row, so what was known stays known."""

from __future__ import annotations

from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    op.execute("ALTER TABLE exchange_rates ADD COLUMN known_from timestamptz")
    op.execute("ALTER TABLE exchange_rates DISABLE ROW LEVEL SECURITY")
    # When the rates so far were typed in is not on record; on their own day at the latest.
    op.execute("UPDATE exchange_rates SET known_from = on_date::timestamp AT TIME ZONE 'UTC'")
    op.execute("ALTER TABLE exchange_rates ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE exchange_rates ALTER COLUMN known_from SET NOT NULL")
    op.execute("ALTER TABLE exchange_rates DROP CONSTRAINT exchange_rates_pkey")
    op.execute("ALTER TABLE exchange_rates ADD PRIMARY KEY (base, quote, on_date, known_from)")
    # Nobody, not even the house, changes or removes one.
    op.execute("DROP POLICY may_change ON exchange_rates")
    op.execute("DROP POLICY may_remove ON exchange_rates")
