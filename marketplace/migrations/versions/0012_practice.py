"""The practice room: private auctions that nothing else knows of."""

from __future__ import annotations

from alembic import op

from marketplace.migrations.policies import tenant_table

revision = "0012"
down_revision = "0009"


def upgrade() -> None:
    op.execute(
        """CREATE TABLE practice_auctions (
            id uuid PRIMARY KEY,
            organisation_id uuid NOT NULL REFERENCES organisations (id),
            user_id uuid NOT NULL,
            tender_id uuid,
            lot_id uuid,
            title text NOT NULL CHECK (char_length(title) BETWEEN 1 AND 200),
            alias text,
            bots text[] NOT NULL,
            created_at timestamptz NOT NULL,
            due_at timestamptz NOT NULL,
            ended_at timestamptz
        )"""
    )
    op.execute("CREATE INDEX ix_practice_auctions_mine ON practice_auctions (organisation_id)")
    op.execute(
        "CREATE INDEX ix_practice_auctions_due ON practice_auctions (due_at) WHERE ended_at IS NULL"
    )
    op.execute("CREATE INDEX ix_practice_auctions_ended ON practice_auctions (ended_at)")
    tenant_table("practice_auctions")
