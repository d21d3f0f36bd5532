"""Fund requests with their claims, prizes and redemptions."""

from __future__ import annotations

from alembic import op

from marketplace.migrations.policies import ORGANISATION, SCOPE

revision = "0093"
down_revision = "0092"

TABLES = [
    """CREATE TABLE fund_requests (
        id uuid PRIMARY KEY,
        fund_id uuid NOT NULL REFERENCES funds (id),
        partner_id uuid NOT NULL REFERENCES organisations (id),
        author_id uuid NOT NULL REFERENCES users (id),
        activity text NOT NULL CHECK (char_length(activity) BETWEEN 1 AND 1000),
        amount_minor bigint NOT NULL CHECK (amount_minor > 0),
        left_minor bigint NOT NULL
            CONSTRAINT ck_fund_requests_left CHECK (left_minor BETWEEN 0 AND amount_minor),
        state text NOT NULL CONSTRAINT ck_fund_requests_state CHECK (state IN
            ('draft', 'requested', 'approved', 'rejected', 'withdrawn', 'settled', 'lapsed')),
        reason text,
        created_at timestamptz NOT NULL
    )""",
    "CREATE INDEX ix_fund_requests_partner_id ON fund_requests (partner_id, id DESC)",
    """CREATE TABLE fund_claims (
        request_id uuid NOT NULL REFERENCES fund_requests (id),
        number integer NOT NULL CHECK (number >= 1),
        amount_minor bigint NOT NULL CHECK (amount_minor > 0),
        final boolean NOT NULL,
        state text NOT NULL CONSTRAINT ck_fund_claims_state
            CHECK (state IN ('filed', 'settled', 'refused')),
        author_id uuid NOT NULL REFERENCES users (id),
        created_at timestamptz NOT NULL,
        PRIMARY KEY (request_id, number)
    )""",
    """CREATE TABLE prizes (
        id uuid PRIMARY KEY,
        title text NOT NULL CHECK (char_length(title) BETWEEN 1 AND 200),
        cost integer NOT NULL CHECK (cost > 0),
        stock integer NOT NULL CONSTRAINT ck_prizes_stock CHECK (stock >= 0),
        created_at timestamptz NOT NULL
    )""",
    """CREATE TABLE redemptions (
        id uuid PRIMARY KEY,
        partner_id uuid NOT NULL REFERENCES organisations (id),
        prize_id uuid NOT NULL REFERENCES prizes (id),
        author_id uuid NOT NULL REFERENCES users (id),
        quantity integer NOT NULL CHECK (quantity > 0),
        points bigint NOT NULL CHECK (points > 0),
        state text NOT NULL CONSTRAINT ck_redemptions_state
            CHECK (state IN ('ordered', 'shipped', 'cancelled')),
        created_at timestamptz NOT NULL
    )""",
    "CREATE INDEX ix_redemptions_partner_id ON redemptions (partner_id, id DESC)",
]
HOUSE = f"{SCOPE} IN ('system', 'operator')"
READERS = {
    "fund_requests": f"{HOUSE} OR partner_id = {ORGANISATION}",
    "fund_claims": f"{HOUSE} OR EXISTS (SELECT FROM fund_requests r WHERE r.id = request_id)",
    "prizes": f"{SCOPE} IS NOT NULL",
    "redemptions": f"{HOUSE} OR partner_id = {ORGANISATION}",
}


def upgrade() -> None:
    for statement in TABLES:
        op.execute(statement)
    for table, condition in READERS.items():
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY may_see ON {table} FOR SELECT USING ({condition})")
        op.execute(f"CREATE POLICY may_add ON {table} FOR INSERT WITH CHECK ({SCOPE} = 'system')")
        op.execute(f"CREATE POLICY may_change ON {table} FOR UPDATE USING ({SCOPE} = 'system')")
