"""The ledger: accounts, entries, postings, lots, accruals, sales."""

from __future__ import annotations

from alembic import op

from marketplace.migrations.policies import ORGANISATION, SCOPE

revision = "0090"
down_revision = "0102"

TABLES = [
    # Without an owner an account is the operator's. It stands in every entry, so it has no running
    # balance: one such row would be a queue for all writers.
    """CREATE TABLE ledger_accounts (
        id uuid PRIMARY KEY,
        owner_id uuid REFERENCES organisations (id),
        kind text NOT NULL CONSTRAINT ck_ledger_accounts_kind CHECK (kind IN
            ('expense', 'clearing', 'payable', 'paid', 'fund_available', 'fund_reserved',
             'fund_spent', 'points_pending', 'points', 'points_spent')),
        asset text NOT NULL CHECK (asset ~ '^([A-Z]{3}|points)$'),
        ref text NOT NULL DEFAULT '',
        balance bigint,
        floor bigint,
        CONSTRAINT uq_ledger_accounts_key UNIQUE NULLS NOT DISTINCT (owner_id, kind, asset, ref),
        CONSTRAINT uq_ledger_accounts_asset UNIQUE (id, asset),
        CONSTRAINT ck_ledger_accounts_guarded CHECK ((balance IS NULL) = (floor IS NULL))
    )""",
    """CREATE TABLE ledger_entries (
        id uuid PRIMARY KEY,
        number bigint GENERATED ALWAYS AS IDENTITY,
        at timestamptz NOT NULL,
        source_kind text NOT NULL,
        source_id text NOT NULL,
        rule_kind text NOT NULL,
        rule_version integer NOT NULL CHECK (rule_version >= 1),
        rule_text text NOT NULL CHECK (char_length(rule_text) BETWEEN 1 AND 1000),
        once text NOT NULL CONSTRAINT uq_ledger_entries_once UNIQUE,
        reverses uuid REFERENCES ledger_entries (id),
        parties uuid[] NOT NULL
    )""",
    "CREATE INDEX ix_ledger_entries_source ON ledger_entries (source_kind, source_id)",
    """CREATE TABLE ledger_postings (
        entry_id uuid NOT NULL REFERENCES ledger_entries (id),
        position smallint NOT NULL CHECK (position >= 0),
        account_id uuid NOT NULL,
        asset text NOT NULL,
        amount bigint NOT NULL CHECK (amount <> 0),
        PRIMARY KEY (entry_id, position),
        FOREIGN KEY (account_id, asset) REFERENCES ledger_accounts (id, asset)
    )""",
    "CREATE INDEX ix_ledger_postings_account_id ON ledger_postings (account_id, entry_id DESC)",
    """CREATE FUNCTION ledger_entry_is_balanced() RETURNS trigger LANGUAGE plpgsql
    SET app.scope TO 'system' AS $$
    BEGIN
        IF EXISTS (SELECT FROM ledger_postings WHERE entry_id = NEW.entry_id
                   GROUP BY asset HAVING sum(amount) <> 0) THEN
            RAISE EXCEPTION 'ledger entry % does not sum to zero', NEW.entry_id
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NULL;
    END $$""",
    """CREATE CONSTRAINT TRIGGER ledger_entry_is_balanced AFTER INSERT ON ledger_postings
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_entry_is_balanced()""",
    # Money or points that were credited together and expire together.
    """CREATE TABLE ledger_lots (
        id uuid PRIMARY KEY,
        account_id uuid NOT NULL REFERENCES ledger_accounts (id),
        source text NOT NULL,
        amount bigint NOT NULL CHECK (amount > 0),
        left_amount bigint NOT NULL CHECK (left_amount BETWEEN 0 AND amount),
        expires_at timestamptz,
        created_at timestamptz NOT NULL,
        CONSTRAINT uq_ledger_lots_source UNIQUE (account_id, source)
    )""",
    "CREATE INDEX ix_ledger_lots_source ON ledger_lots (source)",
    # What of a lot is reserved or spent by `use`; a release gives it back to the same lot.
    """CREATE TABLE ledger_lot_uses (
        lot_id uuid NOT NULL REFERENCES ledger_lots (id),
        use text NOT NULL,
        amount bigint NOT NULL CHECK (amount >= 0),
        PRIMARY KEY (use, lot_id)
    )""",
    """CREATE TABLE accruals (
        id uuid PRIMARY KEY,
        number bigint GENERATED ALWAYS AS IDENTITY,
        entry_id uuid NOT NULL REFERENCES ledger_entries (id),
        beneficiary_id uuid NOT NULL REFERENCES organisations (id),
        kind text NOT NULL CHECK (kind ~ '^[a-z_]{1,40}$'),
        asset text NOT NULL,
        amount bigint NOT NULL CHECK (amount <> 0),
        payable boolean NOT NULL,
        source_kind text NOT NULL,
        source_id text NOT NULL,
        at timestamptz NOT NULL,
        due_at timestamptz NOT NULL,
        expires_at timestamptz,
        reverses uuid REFERENCES accruals (id),
        payout_id uuid,
        CONSTRAINT uq_accruals_entry_id UNIQUE (entry_id)
    )""",
    "CREATE INDEX ix_accruals_beneficiary_id ON accruals (beneficiary_id, number DESC)",
    "CREATE INDEX ix_accruals_source ON accruals (source_kind, source_id)",
    """CREATE INDEX ix_accruals_points ON accruals (at)
        WHERE kind = 'points' AND reverses IS NULL""",
    "CREATE INDEX ix_accruals_reverses ON accruals (reverses) WHERE reverses IS NOT NULL",
    "CREATE INDEX ix_accruals_due_at ON accruals (due_at) WHERE payout_id IS NULL AND payable",
    "CREATE INDEX ix_accruals_payout_id ON accruals (payout_id) WHERE payout_id IS NOT NULL",
    """CREATE TABLE funds (
        id uuid PRIMARY KEY,
        partner_id uuid NOT NULL REFERENCES organisations (id),
        currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
        created_at timestamptz NOT NULL,
        CONSTRAINT uq_funds_partner_id UNIQUE (partner_id, currency)
    )""",
    """CREATE TABLE sales (
        id uuid PRIMARY KEY,
        source_kind text NOT NULL,
        source_id text NOT NULL,
        once text NOT NULL CONSTRAINT uq_sales_once UNIQUE,
        partner_id uuid NOT NULL REFERENCES organisations (id),
        currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
        amount_minor bigint NOT NULL CHECK (amount_minor >= 0),
        refunded_minor bigint NOT NULL DEFAULT 0
            CONSTRAINT ck_sales_refunded CHECK (refunded_minor BETWEEN 0 AND amount_minor),
        at timestamptz NOT NULL,
        completed_at timestamptz NOT NULL
    )""",
    "CREATE INDEX ix_sales_partner_id ON sales (partner_id, at)",
    "CREATE INDEX ix_sales_source ON sales (source_kind, source_id, completed_at DESC)",
    """CREATE TABLE sale_refunds (
        sale_id uuid NOT NULL REFERENCES sales (id),
        reference text NOT NULL,
        amount_minor bigint NOT NULL CHECK (amount_minor >= 0),
        at timestamptz NOT NULL,
        PRIMARY KEY (sale_id, reference)
    )""",
]
HOUSE = f"{SCOPE} IN ('system', 'operator')"
READERS = {
    # The operator's accounts have no balance, and every partner's entry names one.
    "ledger_accounts": f"{HOUSE} OR owner_id IS NULL OR owner_id = {ORGANISATION}",
    "ledger_entries": f"{HOUSE} OR {ORGANISATION} = ANY (parties)",
    "ledger_postings": f"{HOUSE} OR EXISTS (SELECT FROM ledger_entries e WHERE e.id = entry_id)",
    "ledger_lots": f"{HOUSE} OR EXISTS (SELECT FROM ledger_accounts a WHERE a.id = account_id"
    f" AND a.owner_id = {ORGANISATION})",
    "ledger_lot_uses": f"{HOUSE} OR EXISTS (SELECT FROM ledger_lots l WHERE l.id = lot_id)",
    "accruals": f"{HOUSE} OR beneficiary_id = {ORGANISATION}",
    "funds": f"{HOUSE} OR partner_id = {ORGANISATION}",
    "sales": f"{HOUSE} OR partner_id = {ORGANISATION}",
    "sale_refunds": f"{HOUSE} OR EXISTS (SELECT FROM sales s WHERE s.id = sale_id)",
}
APPEND_ONLY = frozenset(["ledger_entries", "ledger_postings"])


def upgrade() -> None:
    for statement in TABLES:
        op.execute(statement)
    for table, condition in READERS.items():
        written_by_the_system(table, condition, append_only=table in APPEND_ONLY)


def written_by_the_system(table: str, condition: str, *, append_only: bool) -> None:
    """Who may read is said by `condition`; only a service that settled the caller's right writes.
    Nobody deletes; nobody changes what is `append_only`.
    """
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY may_see ON {table} FOR SELECT USING ({condition})")
    op.execute(f"CREATE POLICY may_add ON {table} FOR INSERT WITH CHECK ({SCOPE} = 'system')")
    if not append_only:
        op.execute(f"CREATE POLICY may_change ON {table} FOR UPDATE USING ({SCOPE} = 'system')")
