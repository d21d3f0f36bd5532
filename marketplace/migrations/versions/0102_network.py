"""Who stands above whom, and what an organisation may use: modules and seats."""

from __future__ import annotations

from alembic import op

from marketplace.migrations.policies import ORGANISATION, SCOPE, visible_to

revision = "0102"
down_revision = "0101"

TABLES = [
    # Without a row for an organisation itself; its parent is the row of depth 1.
    """CREATE TABLE organisation_closure (
        ancestor_id uuid NOT NULL REFERENCES organisations (id),
        descendant_id uuid NOT NULL REFERENCES organisations (id),
        depth smallint NOT NULL CHECK (depth BETWEEN 1 AND 19),
        PRIMARY KEY (descendant_id, ancestor_id),
        CHECK (ancestor_id <> descendant_id)
    )""",
    """CREATE UNIQUE INDEX uq_organisation_closure_parent ON organisation_closure (descendant_id)
        WHERE depth = 1""",
    "CREATE INDEX ix_organisation_closure_ancestor_id ON organisation_closure (ancestor_id)",
    """CREATE TABLE organisation_entitlements (
        organisation_id uuid PRIMARY KEY REFERENCES organisations (id),
        modules text[],
        seats integer CHECK (seats >= 0),
        updated_at timestamptz NOT NULL
    )""",
]
HOUSE = f"{SCOPE} IN ('system', 'operator')"


def upgrade() -> None:
    for statement in TABLES:
        op.execute(statement)
    visible_to("organisation_closure", HOUSE)
    own = f"ancestor_id = {ORGANISATION} OR descendant_id = {ORGANISATION}"
    op.execute(
        "CREATE POLICY own_rows ON organisation_closure FOR SELECT"
        f" USING ({SCOPE} = 'tenant' AND ({own}))"
    )
    visible_to("organisation_entitlements", HOUSE)
    op.execute(
        "CREATE POLICY own_row ON organisation_entitlements FOR SELECT"
        f" USING ({SCOPE} IS NOT NULL AND organisation_id = {ORGANISATION})"
    )
