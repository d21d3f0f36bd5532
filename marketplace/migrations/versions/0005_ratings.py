"""Tables of ratings: policies, what happened, decayed sums, trust, blocks, surveys, affiliates."""

from __future__ import annotations

from alembic import op

from marketplace.migrations.policies import SCOPE, tenant_table, visible_to

revision = "0005"
down_revision = "0004"

TABLES = [
    """CREATE TABLE rating_policies (
        id uuid PRIMARY KEY,
        buyer_id uuid NOT NULL REFERENCES organisations (id),
        version integer NOT NULL CHECK (version >= 1),
        valid_from timestamptz NOT NULL,
        weights jsonb NOT NULL,
        parameters jsonb NOT NULL,
        landmark timestamptz NOT NULL,
        note text NOT NULL DEFAULT '',
        author_id uuid NOT NULL REFERENCES users (id),
        created_at timestamptz NOT NULL,
        CONSTRAINT uq_rating_policies_version UNIQUE (buyer_id, version)
    )""",
    # What the sums of one buyer under one policy have seen. The policy itself never changes; the
    # landmark moves when the sums are re-based.
    """CREATE TABLE rating_bases (
        buyer_id uuid NOT NULL REFERENCES organisations (id),
        policy_id uuid NOT NULL,
        landmark timestamptz NOT NULL,
        matured_until timestamptz NOT NULL,
        PRIMARY KEY (buyer_id, policy_id)
    )""",
    # An order's lines as they count; line 0 stands for the order itself. Reopening an order voids
    # its lines, completing it again adds new ones, so any past date can be told as it was.
    """CREATE TABLE rating_lines (
        order_id uuid NOT NULL,
        position integer NOT NULL CHECK (position >= 0),
        completed_at timestamptz NOT NULL,
        buyer_id uuid NOT NULL,
        supplier_id uuid NOT NULL,
        ordered_at timestamptz NOT NULL,
        voided_at timestamptz,
        month smallint NOT NULL CHECK (month BETWEEN 0 AND 1199),
        currency text NOT NULL,
        value_minor bigint NOT NULL CHECK (value_minor >= 0),
        log_ratio float8,
        PRIMARY KEY (order_id, position, completed_at)
    )""",
    "CREATE INDEX ix_rating_lines_pair ON rating_lines (buyer_id, supplier_id)",
    "CREATE INDEX ix_rating_lines_completed_at ON rating_lines (buyer_id, completed_at)",
    # A claim is upheld from then until withdrawn; another severity is a new row.
    """CREATE TABLE rating_claims (
        claim_id uuid NOT NULL,
        upheld_at timestamptz NOT NULL,
        order_id uuid NOT NULL,
        buyer_id uuid NOT NULL,
        supplier_id uuid NOT NULL,
        severity float8 NOT NULL CHECK (severity BETWEEN 0 AND 1),
        withdrawn_at timestamptz,
        PRIMARY KEY (claim_id, upheld_at)
    )""",
    "CREATE INDEX ix_rating_claims_order_id ON rating_claims (order_id)",
    "CREATE INDEX ix_rating_claims_buyer_id ON rating_claims (buyer_id, supplier_id)",
    """CREATE TABLE rating_sums (
        buyer_id uuid NOT NULL,
        supplier_id uuid NOT NULL,
        policy_id uuid NOT NULL,
        orders float8 NOT NULL,
        volume float8 NOT NULL,
        matured float8 NOT NULL,
        blemish float8 NOT NULL,
        priced float8 NOT NULL,
        excess float8 NOT NULL,
        months bit(1200) NOT NULL,
        PRIMARY KEY (buyer_id, policy_id, supplier_id)
    )""",
    "CREATE INDEX ix_rating_sums_supplier_id ON rating_sums (supplier_id)",
    """CREATE TABLE rating_trust (
        id uuid PRIMARY KEY,
        buyer_id uuid NOT NULL REFERENCES organisations (id),
        supplier_id uuid NOT NULL REFERENCES organisations (id),
        credit_bp integer NOT NULL CHECK (credit_bp BETWEEN 0 AND 10000),
        reason text NOT NULL CHECK (char_length(reason) BETWEEN 1 AND 500),
        author_id uuid NOT NULL REFERENCES users (id),
        given_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL CHECK (expires_at > given_at)
    )""",
    "CREATE INDEX ix_rating_trust_pair ON rating_trust (buyer_id, supplier_id, given_at DESC)",
    """CREATE TABLE rating_blocks (
        id uuid PRIMARY KEY,
        buyer_id uuid NOT NULL REFERENCES organisations (id),
        supplier_id uuid NOT NULL REFERENCES organisations (id),
        reason text NOT NULL CHECK (char_length(reason) BETWEEN 1 AND 500),
        blocked_by uuid NOT NULL REFERENCES users (id),
        blocked_at timestamptz NOT NULL,
        lifted_by uuid REFERENCES users (id),
        lifted_at timestamptz,
        lifted_reason text
    )""",
    """CREATE UNIQUE INDEX uq_rating_blocks_pair ON rating_blocks (buyer_id, supplier_id)
        WHERE lifted_at IS NULL""",
    """CREATE TABLE rating_surveys (
        order_id uuid PRIMARY KEY,
        buyer_id uuid NOT NULL,
        supplier_id uuid NOT NULL,
        stars smallint NOT NULL CHECK (stars BETWEEN 1 AND 5),
        answered_at timestamptz NOT NULL
    )""",
    "CREATE INDEX ix_rating_surveys_supplier_id ON rating_surveys (supplier_id)",
    """CREATE TABLE rating_affiliates (
        organisation_id uuid NOT NULL REFERENCES organisations (id),
        affiliate_id uuid NOT NULL REFERENCES organisations (id),
        reason text NOT NULL CHECK (char_length(reason) BETWEEN 1 AND 500),
        author_id uuid NOT NULL REFERENCES users (id),
        created_at timestamptz NOT NULL,
        PRIMARY KEY (organisation_id, affiliate_id),
        CONSTRAINT ck_rating_affiliates_order CHECK (organisation_id < affiliate_id)
    )""",
]
BUYERS_OWN = [
    "rating_bases",
    "rating_lines",
    "rating_claims",
    "rating_sums",
    "rating_trust",
    "rating_blocks",
    "rating_surveys",
]


def upgrade() -> None:
    for statement in TABLES:
        op.execute(statement)
    tenant_table("rating_policies", owners=["buyer_id"], append_only=True)
    # A supplier reads its own rating through the service, which leaves out what is the buyer's.
    for table in BUYERS_OWN:
        tenant_table(table, owners=["buyer_id"])
    visible_to("rating_affiliates", f"{SCOPE} IN ('system', 'operator')")
