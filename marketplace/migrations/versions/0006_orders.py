"""Tables of orders: lines, deliveries, claims, documents, surveys, watchers."""

from __future__ import annotations

from alembic import op

from marketplace.migrations.policies import ORGANISATION, SCOPE, visible_to

revision = "0006"
down_revision = "0005"

TABLES = [
    """CREATE TABLE order_counters (
        buyer_id uuid PRIMARY KEY REFERENCES organisations (id),
        last integer NOT NULL
    )""",
    """CREATE TABLE orders (
        id uuid PRIMARY KEY,
        number integer NOT NULL,
        buyer_id uuid NOT NULL REFERENCES organisations (id),
        supplier_id uuid NOT NULL REFERENCES organisations (id),
        author_id uuid NOT NULL REFERENCES users (id),
        origin text NOT NULL CONSTRAINT ck_orders_origin
            CHECK (origin IN ('award', 'basket', 'lead', 'replenishment', 'request')),
        origin_id uuid,
        title text NOT NULL CHECK (char_length(title) BETWEEN 1 AND 200),
        currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
        state text NOT NULL CONSTRAINT ck_orders_state CHECK (state IN
            ('draft', 'proposed', 'awaiting_approval', 'placed', 'confirmed', 'partly_delivered',
             'delivered', 'accepted', 'declined', 'rejected', 'cancelled')),
        lump_minor bigint CHECK (lump_minor >= 0),
        lump_reference_minor bigint CHECK (lump_reference_minor > 0),
        approver_id uuid REFERENCES users (id),
        responsible_id uuid REFERENCES users (id),
        due_at timestamptz,
        delivery jsonb NOT NULL DEFAULT '{}',
        note text NOT NULL DEFAULT '',
        reason text,
        status_token_hash bytea CONSTRAINT uq_orders_status_token_hash UNIQUE,
        created_at timestamptz NOT NULL,
        ordered_at timestamptz,
        accepted_at timestamptz,
        escalated_at timestamptz,
        updated_at timestamptz NOT NULL,
        CONSTRAINT uq_orders_number UNIQUE (buyer_id, number),
        CONSTRAINT ck_orders_sides CHECK (buyer_id <> supplier_id)
    )""",
    """CREATE UNIQUE INDEX uq_orders_origin ON orders (origin, origin_id)
        WHERE origin_id IS NOT NULL""",
    "CREATE INDEX ix_orders_buyer_id ON orders (buyer_id, id DESC)",
    "CREATE INDEX ix_orders_supplier_id ON orders (supplier_id, id DESC)",
    """CREATE TABLE order_lines (
        order_id uuid NOT NULL REFERENCES orders (id),
        position integer NOT NULL CHECK (position >= 0),
        item_id uuid,
        sku text,
        name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 200),
        quantity numeric NOT NULL CHECK (quantity > 0),
        unit text NOT NULL,
        price_minor bigint CHECK (price_minor >= 0),
        price_unit numeric NOT NULL CHECK (price_unit > 0),
        value_minor bigint NOT NULL CHECK (value_minor >= 0),
        delivered numeric NOT NULL DEFAULT 0 CHECK (delivered BETWEEN 0 AND quantity),
        PRIMARY KEY (order_id, position)
    )""",
    "CREATE INDEX ix_order_lines_item_id ON order_lines (item_id) WHERE item_id IS NOT NULL",
    # What others ask for the same is the buyer's own knowledge, so it stands apart.
    """CREATE TABLE order_references (
        order_id uuid NOT NULL REFERENCES orders (id),
        position integer NOT NULL,
        buyer_id uuid NOT NULL,
        reference_minor bigint NOT NULL CHECK (reference_minor > 0),
        PRIMARY KEY (order_id, position)
    )""",
    """CREATE TABLE order_deliveries (
        id uuid PRIMARY KEY,
        order_id uuid NOT NULL REFERENCES orders (id),
        number integer NOT NULL,
        carrier text NOT NULL DEFAULT '',
        tracking text NOT NULL DEFAULT '',
        note text NOT NULL DEFAULT '',
        author_id uuid NOT NULL REFERENCES users (id),
        shipped_at timestamptz NOT NULL,
        lines jsonb NOT NULL,
        CONSTRAINT uq_order_deliveries_number UNIQUE (order_id, number)
    )""",
    """CREATE TABLE order_claims (
        id uuid PRIMARY KEY,
        order_id uuid NOT NULL REFERENCES orders (id),
        number integer NOT NULL,
        buyer_id uuid NOT NULL,
        supplier_id uuid NOT NULL,
        author_id uuid NOT NULL REFERENCES users (id),
        position integer,
        kind text NOT NULL CONSTRAINT ck_order_claims_kind CHECK (kind IN ('quality', 'service')),
        severity_bp integer NOT NULL CHECK (severity_bp BETWEEN 1 AND 10000),
        description text NOT NULL CHECK (char_length(description) BETWEEN 1 AND 4000),
        state text NOT NULL CONSTRAINT ck_order_claims_state CHECK (state IN
            ('draft', 'open', 'disputed', 'escalated', 'upheld', 'dismissed', 'withdrawn')),
        answer text,
        created_at timestamptz NOT NULL,
        decided_at timestamptz,
        CONSTRAINT uq_order_claims_number UNIQUE (order_id, number)
    )""",
    "CREATE INDEX ix_order_claims_supplier_id ON order_claims (supplier_id, id DESC)",
    """CREATE TABLE order_documents (
        id uuid PRIMARY KEY,
        order_id uuid NOT NULL REFERENCES orders (id),
        claim_id uuid REFERENCES order_claims (id),
        organisation_id uuid NOT NULL,
        name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 200),
        version integer NOT NULL CHECK (version >= 1),
        media_type text NOT NULL,
        size_bytes bigint NOT NULL CHECK (size_bytes > 0),
        sha256 text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
        internal boolean NOT NULL DEFAULT false,
        author_id uuid NOT NULL REFERENCES users (id),
        created_at timestamptz NOT NULL,
        accepted_by uuid REFERENCES users (id),
        accepted_at timestamptz,
        CONSTRAINT uq_order_documents_version UNIQUE (order_id, organisation_id, name, version)
    )""",
    """CREATE TABLE order_document_chunks (
        document_id uuid NOT NULL REFERENCES order_documents (id),
        position integer NOT NULL,
        content bytea NOT NULL CHECK (octet_length(content) BETWEEN 1 AND 262144),
        PRIMARY KEY (document_id, position)
    )""",
    """CREATE TABLE order_surveys (
        order_id uuid PRIMARY KEY REFERENCES orders (id),
        buyer_id uuid NOT NULL,
        stars smallint NOT NULL CHECK (stars BETWEEN 1 AND 5),
        answered_by uuid NOT NULL REFERENCES users (id),
        answered_at timestamptz NOT NULL
    )""",
    """CREATE TABLE order_watchers (
        order_id uuid NOT NULL REFERENCES orders (id),
        user_id uuid NOT NULL REFERENCES users (id),
        organisation_id uuid NOT NULL,
        PRIMARY KEY (order_id, user_id)
    )""",
]
HOUSE = f"{SCOPE} IN ('system', 'operator')"
# An order the buyer has not released yet, or never did, is no business of the supplier.
ORDER_SEEN = "EXISTS (SELECT FROM orders o WHERE o.id = {table}.order_id)"


def upgrade() -> None:
    for statement in TABLES:
        op.execute(statement)
    visible_to("order_counters", f"{SCOPE} = 'system'")
    # An order the buyer has not released yet, or never did, is no business of the supplier.
    visible_to(
        "orders",
        f"{HOUSE} OR buyer_id = {ORGANISATION} OR supplier_id = {ORGANISATION}"
        " AND (approver_id IS NULL OR ordered_at IS NOT NULL)",
    )
    for table in ("order_lines", "order_deliveries", "order_claims"):
        visible_to(table, ORDER_SEEN.format(table=table))
    for table in ("order_references", "order_surveys"):
        visible_to(table, f"{HOUSE} OR buyer_id = {ORGANISATION}")
    own = f"{HOUSE} OR organisation_id = {ORGANISATION}"
    visible_to(
        "order_documents",
        f"({own} OR NOT internal) AND {ORDER_SEEN.format(table='order_documents')}",
    )
    visible_to(
        "order_document_chunks",
        "EXISTS (SELECT FROM order_documents d WHERE d.id = order_document_chunks.document_id)",
    )
    visible_to("order_watchers", f"({own}) AND {ORDER_SEEN.format(table='order_watchers')}")
