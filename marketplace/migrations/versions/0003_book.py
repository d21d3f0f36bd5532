"""Tables of the bid book: heads, commands with outcomes, snapshots, signing keys."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"

_TABLES = """
CREATE TABLE auction_head (
    auction_id uuid PRIMARY KEY,
    epoch bigint NOT NULL DEFAULT 0,
    seq bigint NOT NULL DEFAULT 0,
    ts bigint NOT NULL DEFAULT 0,
    tag text NOT NULL,
    chain bytea NOT NULL,
    terms bytea NOT NULL,
    salt_key bytea NOT NULL,
    status text NOT NULL,
    close_at bigint,
    created_at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 50);
COMMENT ON COLUMN auction_head.ts IS 'µs since 1970, stamp of the last command';

CREATE TABLE auction_commands (
    auction_id uuid NOT NULL,
    seq bigint NOT NULL,
    ts bigint NOT NULL,
    bidder text NOT NULL,
    cid text NOT NULL,
    body bytea NOT NULL,
    outcome bytea NOT NULL,
    chain bytea NOT NULL,
    PRIMARY KEY (auction_id, seq)
);
CREATE INDEX ix_auction_commands_cid ON auction_commands (auction_id, bidder, cid) WHERE cid <> '';

CREATE TABLE auction_snapshots (
    auction_id uuid NOT NULL,
    seq bigint NOT NULL,
    tag text NOT NULL,
    chain bytea NOT NULL,
    state bytea NOT NULL,
    PRIMARY KEY (auction_id, seq)
);

CREATE TABLE signing_keys (
    key_id text PRIMARY KEY,
    public bytea NOT NULL,
    wrapped_private bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    retired_at timestamptz
);
"""


def upgrade() -> None:
    for statement in _TABLES.split(";\n"):
        if statement.strip():
            op.execute(statement)
    for table in ("auction_head", "auction_commands", "auction_snapshots", "signing_keys"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        # Whole rows hold everybody's bids, so only the house reads them; people get projections.
        op.execute(
            f"CREATE POLICY {table}_house ON {table} "
            "USING (current_setting('app.scope', true) = 'system') "
            "WITH CHECK (current_setting('app.scope', true) = 'system')"
        )
    op.execute(
        "CREATE POLICY auction_head_publish ON auction_head FOR INSERT "
        "WITH CHECK (current_setting('app.scope', true) IN ('tenant', 'operator') AND seq = 0)"
    )
