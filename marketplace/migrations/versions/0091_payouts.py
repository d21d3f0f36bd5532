"""Bank accounts, payout runs, payouts and their exports."""

from __future__ import annotations

from alembic import op

from marketplace.migrations.policies import ORGANISATION, SCOPE, tenant_table

revision = "0091"
down_revision = "0090"

TABLES = [
    """CREATE TABLE bank_accounts (
        organisation_id uuid PRIMARY KEY REFERENCES organisations (id),
        holder text NOT NULL CHECK (char_length(holder) BETWEEN 1 AND 70),
        iban text NOT NULL CHECK (iban ~ '^[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}$'),
        bic text CHECK (bic ~ '^[A-Z0-9]{8}([A-Z0-9]{3})?$'),
        changed_at timestamptz NOT NULL,
        changed_by uuid NOT NULL REFERENCES users (id)
    )""",
    # What the agreement says about money that is paid out; without a row: at once, from one cent.
    """CREATE TABLE payout_terms (
        partner_id uuid NOT NULL REFERENCES organisations (id),
        currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
        minimum_minor bigint NOT NULL CHECK (minimum_minor >= 0),
        PRIMARY KEY (partner_id, currency)
    )""",
    """CREATE TABLE payout_runs (
        id uuid PRIMARY KEY,
        number integer NOT NULL CONSTRAINT uq_payout_runs_number UNIQUE,
        until timestamptz NOT NULL,
        currency text,
        state text NOT NULL CONSTRAINT ck_payout_runs_state
            CHECK (state IN ('proposed', 'approved', 'cancelled')),
        author_id uuid NOT NULL REFERENCES users (id),
        created_at timestamptz NOT NULL,
        checked_by uuid REFERENCES users (id),
        checked_at timestamptz
    )""",
    """CREATE TABLE payouts (
        id uuid PRIMARY KEY,
        run_id uuid NOT NULL REFERENCES payout_runs (id),
        number integer NOT NULL,
        beneficiary_id uuid NOT NULL REFERENCES organisations (id),
        currency text NOT NULL,
        amount_minor bigint NOT NULL CHECK (amount_minor > 0),
        items integer NOT NULL CHECK (items > 0),
        state text NOT NULL CONSTRAINT ck_payouts_state
            CHECK (state IN ('proposed', 'approved', 'paid', 'failed', 'cancelled')),
        author_id uuid NOT NULL REFERENCES users (id),
        holder text,
        iban text,
        bic text,
        created_at timestamptz NOT NULL,
        paid_at timestamptz,
        reference text,
        failure text,
        announced boolean NOT NULL DEFAULT true,
        CONSTRAINT uq_payouts_number UNIQUE (run_id, number),
        CONSTRAINT uq_payouts_beneficiary UNIQUE (run_id, beneficiary_id, currency)
    )""",
    "CREATE INDEX ix_payouts_beneficiary_id ON payouts (beneficiary_id, id DESC)",
    "CREATE INDEX ix_payouts_announced ON payouts (id) WHERE NOT announced",
    # What stood in which payout, also after it failed.
    """CREATE TABLE payout_items (
        payout_id uuid NOT NULL REFERENCES payouts (id),
        accrual_id uuid NOT NULL REFERENCES accruals (id),
        PRIMARY KEY (payout_id, accrual_id)
    )""",
    "ALTER TABLE accruals ADD CONSTRAINT fk_accruals_payout_id"
    " FOREIGN KEY (payout_id) REFERENCES payouts (id)",
    # A bank gets the same bytes each time it is asked for them.
    """CREATE TABLE payout_exports (
        run_id uuid NOT NULL REFERENCES payout_runs (id),
        format text NOT NULL CHECK (format IN ('pain001', 'csv', 'jsonl')),
        content bytea NOT NULL,
        sha256 text NOT NULL,
        made_at timestamptz NOT NULL,
        PRIMARY KEY (run_id, format)
    )""",
]
HOUSE = f"{SCOPE} IN ('system', 'operator')"
READERS = {
    "payout_terms": f"{HOUSE} OR partner_id = {ORGANISATION}",
    "payout_runs": HOUSE,
    "payouts": f"{HOUSE} OR beneficiary_id = {ORGANISATION}",
    "payout_items": f"{HOUSE} OR EXISTS (SELECT FROM payouts p WHERE p.id = payout_id)",
    "payout_exports": HOUSE,
}
APPEND_ONLY = frozenset(["payout_items", "payout_exports"])


def upgrade() -> None:
    for statement in TABLES:
        op.execute(statement)
    tenant_table("bank_accounts")
    for table, condition in READERS.items():
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY may_see ON {table} FOR SELECT USING ({condition})")
        op.execute(f"CREATE POLICY may_add ON {table} FOR INSERT WITH CHECK ({SCOPE} = 'system')")
        if table not in APPEND_ONLY:
            op.execute(f"CREATE POLICY may_change ON {table} FOR UPDATE USING ({SCOPE} = 'system')")
