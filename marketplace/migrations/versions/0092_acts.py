"""Acts: runs, acts with their lines and files, number series, what was agreed about billing."""

from __future__ import annotations

from alembic import op

from marketplace.migrations.policies import ORGANISATION, SCOPE

revision = "0092"
down_revision = "0091"

TABLES = [
    """CREATE TABLE billing_terms (
        partner_id uuid PRIMARY KEY REFERENCES organisations (id),
        self_billing boolean NOT NULL,
        accept_days integer NOT NULL CHECK (accept_days BETWEEN 1 AND 365),
        language text NOT NULL CHECK (language IN ('de', 'en', 'pl', 'ro', 'ru'))
    )""",
    """CREATE TABLE number_series (
        series text PRIMARY KEY,
        last integer NOT NULL CHECK (last >= 0)
    )""",
    """CREATE TABLE act_runs (
        id uuid PRIMARY KEY,
        period text NOT NULL CONSTRAINT uq_act_runs_period UNIQUE
            CHECK (period ~ '^[0-9]{4}-[0-9]{2}$'),
        state text NOT NULL CONSTRAINT ck_act_runs_state
            CHECK (state IN ('queued', 'numbering', 'rendering', 'done')),
        author_id uuid NOT NULL REFERENCES users (id),
        created_at timestamptz NOT NULL,
        started_at timestamptz,
        ended_at timestamptz,
        lease_until timestamptz
    )""",
    """CREATE TABLE acts (
        id uuid PRIMARY KEY,
        run_id uuid NOT NULL REFERENCES act_runs (id),
        number text NOT NULL CONSTRAINT uq_acts_number UNIQUE,
        beneficiary_id uuid NOT NULL REFERENCES organisations (id),
        currency text NOT NULL,
        kind integer NOT NULL CONSTRAINT ck_acts_kind CHECK (kind IN (261, 389)),
        self_billing boolean NOT NULL,
        language text NOT NULL,
        accept_days integer NOT NULL,
        total_minor bigint NOT NULL CHECK (total_minor >= 0),
        lines integer NOT NULL CHECK (lines > 0),
        seller jsonb NOT NULL,
        buyer jsonb NOT NULL,
        state text NOT NULL CONSTRAINT ck_acts_state
            CHECK (state IN ('issued', 'accepted', 'disputed')),
        author_id uuid NOT NULL,
        reason text,
        issued_at timestamptz NOT NULL,
        sha256 text
    )""",
    "CREATE INDEX ix_acts_run_id ON acts (run_id, number)",
    "CREATE INDEX ix_acts_beneficiary_id ON acts (beneficiary_id, id DESC)",
    """CREATE TABLE act_lines (
        act_id uuid NOT NULL REFERENCES acts (id),
        position integer NOT NULL CHECK (position >= 1),
        accrual_id uuid NOT NULL CONSTRAINT uq_act_lines_accrual_id UNIQUE
            REFERENCES accruals (id),
        amount_minor bigint NOT NULL,
        PRIMARY KEY (act_id, position)
    )""",
    """CREATE TABLE act_files (
        act_id uuid PRIMARY KEY REFERENCES acts (id),
        pdf bytea NOT NULL,
        xml bytea
    )""",
    "ALTER TABLE accruals ADD COLUMN act_id uuid REFERENCES acts (id)",
    """CREATE INDEX ix_accruals_no_act ON accruals (beneficiary_id, asset, number)
        WHERE payable AND act_id IS NULL""",
]
HOUSE = f"{SCOPE} IN ('system', 'operator')"
OF_ACT = f"{HOUSE} OR EXISTS (SELECT FROM acts a WHERE a.id = act_id)"
READERS = {
    "billing_terms": f"{HOUSE} OR partner_id = {ORGANISATION}",
    "number_series": HOUSE,
    "act_runs": HOUSE,
    "acts": f"{HOUSE} OR beneficiary_id = {ORGANISATION}",
    "act_lines": OF_ACT,
    "act_files": OF_ACT,
}
APPEND_ONLY = frozenset(["act_lines", "act_files"])


def upgrade() -> None:
    for statement in TABLES:
        op.execute(statement)
    for table, condition in READERS.items():
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY may_see ON {table} FOR SELECT USING ({condition})")
        op.execute(f"CREATE POLICY may_add ON {table} FOR INSERT WITH CHECK ({SCOPE} = 'system')")
        if table not in APPEND_ONLY:
            op.execute(f"CREATE POLICY may_change ON {table} FOR UPDATE USING ({SCOPE} = 'system')")
