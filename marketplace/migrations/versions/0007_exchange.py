"""Tables of exchange: endpoints, messages and their deliveries, mails."""

from __future__ import annotations

from alembic import op

from marketplace.migrations.policies import tenant_table

revision = "0007"
down_revision = "0006"

TABLES = [
    """CREATE TABLE exchange_endpoints (
        id uuid PRIMARY KEY,
        organisation_id uuid NOT NULL REFERENCES organisations (id),
        url text NOT NULL CHECK (char_length(url) BETWEEN 8 AND 2000),
        description text NOT NULL DEFAULT '',
        events text[] NOT NULL,
        secret_sealed bytea NOT NULL,
        former_sealed bytea,
        former_until timestamptz,
        author_id uuid NOT NULL REFERENCES users (id),
        created_at timestamptz NOT NULL,
        failing_since timestamptz,
        disabled_at timestamptz,
        disabled_reason text
    )""",
    "CREATE INDEX ix_exchange_endpoints_organisation_id ON exchange_endpoints (organisation_id)",
    # `id` is the webhook-id: the same in every attempt, so a receiver can tell repetitions.
    """CREATE TABLE exchange_messages (
        id uuid PRIMARY KEY,
        organisation_id uuid NOT NULL REFERENCES organisations (id),
        kind text NOT NULL,
        once text NOT NULL,
        body text NOT NULL,
        created_at timestamptz NOT NULL,
        CONSTRAINT uq_exchange_messages_once UNIQUE (organisation_id, once)
    )""",
    "CREATE INDEX ix_exchange_messages_created_at ON exchange_messages (created_at)",
    """CREATE TABLE exchange_deliveries (
        id uuid PRIMARY KEY,
        message_id uuid NOT NULL REFERENCES exchange_messages (id) ON DELETE CASCADE,
        endpoint_id uuid NOT NULL REFERENCES exchange_endpoints (id) ON DELETE CASCADE,
        organisation_id uuid NOT NULL,
        state text NOT NULL CONSTRAINT ck_exchange_deliveries_state
            CHECK (state IN ('pending', 'delivered', 'dead')),
        attempts integer NOT NULL DEFAULT 0,
        next_at timestamptz NOT NULL,
        last_status integer,
        last_error text,
        delivered_at timestamptz,
        CONSTRAINT uq_exchange_deliveries_message_id UNIQUE (message_id, endpoint_id)
    )""",
    """CREATE INDEX ix_exchange_deliveries_due ON exchange_deliveries (endpoint_id, next_at)
        WHERE state = 'pending'""",
    "CREATE INDEX ix_exchange_deliveries_organisation_id ON exchange_deliveries"
    " (organisation_id, id DESC)",
    """CREATE TABLE exchange_mails (
        id uuid PRIMARY KEY,
        organisation_id uuid NOT NULL REFERENCES organisations (id),
        user_id uuid NOT NULL REFERENCES users (id),
        once text NOT NULL,
        address text NOT NULL,
        kind text NOT NULL,
        subject text NOT NULL,
        text text NOT NULL,
        path text NOT NULL,
        state text NOT NULL CONSTRAINT ck_exchange_mails_state
            CHECK (state IN ('pending', 'sent', 'dead')),
        attempts integer NOT NULL DEFAULT 0,
        next_at timestamptz NOT NULL,
        last_error text,
        created_at timestamptz NOT NULL,
        sent_at timestamptz,
        CONSTRAINT uq_exchange_mails_once UNIQUE (user_id, once)
    )""",
    "CREATE INDEX ix_exchange_mails_due ON exchange_mails (next_at) WHERE state = 'pending'",
]


def upgrade() -> None:
    for statement in TABLES:
        op.execute(statement)
    for table in ("exchange_endpoints", "exchange_messages", "exchange_deliveries"):
        tenant_table(table)
    # Without a mail server the operator reads here what should have been sent.
    tenant_table("exchange_mails", operator=True)
