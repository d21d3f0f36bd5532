"""Tables of the workflow engine: steps taken and deadlines to come."""

from __future__ import annotations

from alembic import op

from marketplace.migrations.policies import ORGANISATION, SCOPE, visible_to

revision = "0008"
down_revision = "0007"

TABLES = [
    """CREATE TABLE workflow_steps (
        id uuid PRIMARY KEY,
        workflow text NOT NULL,
        subject_id uuid NOT NULL,
        event text NOT NULL,
        source text NOT NULL,
        target text NOT NULL,
        reason text,
        user_id uuid,
        organisation_id uuid,
        parties uuid[] NOT NULL,
        at timestamptz NOT NULL
    )""",
    "CREATE INDEX ix_workflow_steps_subject_id ON workflow_steps (subject_id, id)",
    """CREATE TABLE workflow_deadlines (
        id uuid PRIMARY KEY,
        workflow text NOT NULL,
        subject_id uuid NOT NULL,
        event text NOT NULL,
        parties uuid[] NOT NULL,
        due_at timestamptz NOT NULL,
        attempts integer NOT NULL DEFAULT 0,
        CONSTRAINT uq_workflow_deadlines_subject_id UNIQUE (subject_id, workflow)
    )""",
    "CREATE INDEX ix_workflow_deadlines_due_at ON workflow_deadlines (due_at)",
]


def upgrade() -> None:
    for statement in TABLES:
        op.execute(statement)
    mine = f"{SCOPE} = 'system' OR {ORGANISATION} = ANY (parties)"
    visible_to("workflow_steps", mine, append_only=True)
    visible_to("workflow_deadlines", mine)
