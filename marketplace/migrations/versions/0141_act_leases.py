"""The worker of an act run holds it by a token, so one that was frozen and wakes up late changes
nothing. A lease from before is taken over when it has run out.
"""

from __future__ import annotations

from alembic import op

revision = "0141"
down_revision = "0140"


def upgrade() -> None:
    op.execute("ALTER TABLE act_runs ADD COLUMN lease_token uuid")
