"""Tables of the partner programme: versions, agreements, certificates, plans, partners' sales."""

from __future__ import annotations

from alembic import op

from marketplace.migrations.policies import ORGANISATION, SCOPE, visible_to

revision = "0100"
down_revision = "0062"

TABLES = [
    """CREATE TABLE programmes (
        id uuid PRIMARY KEY,
        operator_id uuid NOT NULL REFERENCES organisations (id),
        name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 200),
        currency text NOT NULL,
        author_id uuid NOT NULL REFERENCES users (id),
        created_at timestamptz NOT NULL
    )""",
    """CREATE TABLE programme_versions (
        programme_id uuid NOT NULL REFERENCES programmes (id),
        version integer NOT NULL CHECK (version >= 1),
        tiers jsonb NOT NULL,
        author_id uuid NOT NULL REFERENCES users (id),
        created_at timestamptz NOT NULL,
        published_at timestamptz,
        PRIMARY KEY (programme_id, version)
    )""",
    """CREATE FUNCTION published_versions_stay() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF OLD.published_at IS NOT NULL THEN
            RAISE EXCEPTION 'a published programme version never changes';
        END IF;
        RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
    END $$""",
    """CREATE TRIGGER published_versions_stay BEFORE UPDATE OR DELETE ON programme_versions
        FOR EACH ROW EXECUTE FUNCTION published_versions_stay()""",
    """CREATE TABLE agreements (
        id uuid PRIMARY KEY,
        operator_id uuid NOT NULL REFERENCES organisations (id),
        partner_id uuid NOT NULL REFERENCES organisations (id),
        programme_id uuid NOT NULL,
        version integer NOT NULL,
        partner_type text NOT NULL,
        tier text,
        eligible text,
        region text,
        segment text,
        begins timestamptz NOT NULL,
        ends timestamptz CHECK (ends > begins),
        cpa jsonb,
        payout jsonb NOT NULL,
        state text NOT NULL CHECK (state IN ('draft', 'active', 'suspended', 'ended')),
        author_id uuid NOT NULL REFERENCES users (id),
        created_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL,
        CHECK (partner_id <> operator_id),
        FOREIGN KEY (programme_id, version) REFERENCES programme_versions (programme_id, version)
    )""",
    """CREATE UNIQUE INDEX uq_agreements_active ON agreements (partner_id)
        WHERE state = 'active'""",
    "CREATE INDEX ix_agreements_partner_id ON agreements (partner_id)",
    "CREATE INDEX ix_agreements_programme_id ON agreements (programme_id, version)",
    """CREATE TABLE agreement_snapshots (
        id uuid PRIMARY KEY,
        agreement_id uuid NOT NULL REFERENCES agreements (id),
        partner_id uuid NOT NULL,
        at timestamptz NOT NULL,
        event text NOT NULL,
        state text NOT NULL,
        version integer NOT NULL,
        tier_before text,
        tier text,
        standing jsonb NOT NULL,
        author_id uuid REFERENCES users (id)
    )""",
    "CREATE INDEX ix_agreement_snapshots_at ON agreement_snapshots (agreement_id, at)",
    """CREATE TABLE certificates (
        id uuid PRIMARY KEY,
        agreement_id uuid NOT NULL REFERENCES agreements (id),
        partner_id uuid NOT NULL REFERENCES organisations (id),
        user_id uuid NOT NULL REFERENCES users (id),
        course text NOT NULL CHECK (char_length(course) BETWEEN 1 AND 200),
        issued_at timestamptz NOT NULL,
        expires_at timestamptz CHECK (expires_at > issued_at),
        document_id uuid,
        author_id uuid NOT NULL REFERENCES users (id),
        created_at timestamptz NOT NULL,
        revoked_at timestamptz
    )""",
    "CREATE INDEX ix_certificates_partner_id ON certificates (partner_id, user_id, course)",
    """CREATE TABLE plans (
        id uuid PRIMARY KEY,
        agreement_id uuid NOT NULL REFERENCES agreements (id),
        operator_id uuid NOT NULL,
        partner_id uuid NOT NULL,
        proposer_id uuid NOT NULL REFERENCES organisations (id),
        currency text NOT NULL,
        begins timestamptz NOT NULL,
        ends timestamptz NOT NULL CHECK (ends > begins),
        targets jsonb NOT NULL,
        payout_formula text NOT NULL,
        state text NOT NULL CHECK (state IN ('draft', 'proposed', 'agreed', 'declined')),
        reason text,
        author_id uuid NOT NULL REFERENCES users (id),
        created_at timestamptz NOT NULL
    )""",
    "CREATE INDEX ix_plans_agreement_id ON plans (agreement_id)",
    """CREATE TABLE partner_sales (
        id uuid PRIMARY KEY,
        partner_id uuid NOT NULL REFERENCES organisations (id),
        customer_id uuid,
        source text NOT NULL,
        source_id uuid NOT NULL,
        title text NOT NULL,
        currency text NOT NULL,
        amount_minor bigint NOT NULL CHECK (amount_minor >= 0),
        reversed_minor bigint NOT NULL DEFAULT 0
            CHECK (reversed_minor BETWEEN 0 AND amount_minor),
        won_at timestamptz NOT NULL,
        CONSTRAINT uq_partner_sales_source UNIQUE (source, source_id)
    )""",
    "CREATE INDEX ix_partner_sales_won_at ON partner_sales (partner_id, won_at)",
    """CREATE TABLE partner_sale_lines (
        sale_id uuid NOT NULL REFERENCES partner_sales (id),
        position integer NOT NULL,
        partner_id uuid NOT NULL,
        item_id uuid,
        name text NOT NULL,
        unit text NOT NULL,
        quantity numeric NOT NULL,
        amount_minor bigint NOT NULL,
        PRIMARY KEY (sale_id, position)
    )""",
]

# What was accepted before this programme existed counts as well.
BACKFILL = [
    """INSERT INTO partner_sales (id, partner_id, customer_id, source, source_id, title, currency,
            amount_minor, won_at)
        SELECT gen_random_uuid(), o.supplier_id, o.buyer_id, 'order', o.id, o.title, o.currency,
            coalesce(o.lump_minor, (SELECT coalesce(sum(l.value_minor), 0) FROM order_lines l
                WHERE l.order_id = o.id)), o.accepted_at
        FROM orders o WHERE o.state = 'accepted' AND o.accepted_at IS NOT NULL""",
    """INSERT INTO partner_sale_lines (sale_id, position, partner_id, item_id, name, unit,
            quantity, amount_minor)
        SELECT s.id, l.position, s.partner_id, l.item_id, l.name, l.unit, l.delivered, l.value_minor
        FROM partner_sales s JOIN order_lines l ON l.order_id = s.source_id""",
]

# A partner's own people, but not those who see only records that they are assigned to.
PARTNER = f"{SCOPE} = 'tenant' AND partner_id = {ORGANISATION}"
HOUSE = f"{SCOPE} IN ('system', 'operator')"
# Who has no agreement with the operator is no partner: its sales are no business of the operator.
OF_PARTNERS = f"""{SCOPE} = 'operator' AND EXISTS (
    SELECT FROM agreements a WHERE a.partner_id = {{table}}.partner_id)"""


def has_one(programme: str) -> str:
    """Whether the caller's organisation has an agreement under this programme."""
    own = f"a.programme_id = {programme} AND a.partner_id = {ORGANISATION}"
    return f"{SCOPE} = 'tenant' AND EXISTS (SELECT FROM agreements a WHERE {own})"


def upgrade() -> None:
    for statement in TABLES:
        op.execute(statement)
    op.execute("SELECT set_config('app.scope', 'system', true)")
    for statement in BACKFILL:
        op.execute(statement)
    for table in ("agreements", "certificates", "agreement_snapshots"):
        visible_to(table, HOUSE, append_only=table == "agreement_snapshots")
        op.execute(f"CREATE POLICY partner_reads ON {table} FOR SELECT USING ({PARTNER})")
    for table in ("programmes", "programme_versions"):
        column = "programmes.id" if table == "programmes" else "programme_versions.programme_id"
        visible_to(table, HOUSE)
        op.execute(f"CREATE POLICY partner_reads ON {table} FOR SELECT USING ({has_one(column)})")
    # Both sides write their plan: one proposes, the other agrees.
    visible_to("plans", f"{HOUSE} OR {PARTNER}")
    for table in ("partner_sales", "partner_sale_lines"):
        visible_to(table, f"{SCOPE} = 'system'")
        seen = f"({PARTNER}) OR {OF_PARTNERS.format(table=table)}"
        op.execute(f"CREATE POLICY party_reads ON {table} FOR SELECT USING ({seen})")
