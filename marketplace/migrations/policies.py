"""Row-level security in one line a table: who may see a row is said by `app.scope` and friends.

The policies hold for the owner too (FORCE). `system` sees everything (the house itself), `tenant`
and `operator` see the rows of their own organisation, and `operator` every row where the table says
so. Without a scope a table is empty.
"""

from __future__ import annotations

from collections.abc import Sequence

from alembic import op

# In a sub-select each setting is read once a statement instead of once a row. On a connection that
# was used before, a setting that is gone reads as an empty text.
SCOPE = "(SELECT nullif(current_setting('app.scope', true), ''))"
ORGANISATION = "(SELECT nullif(current_setting('app.organisation', true), '')::uuid)"
USER = "(SELECT nullif(current_setting('app.user', true), '')::uuid)"


def tenant_table(
    table: str,
    *,
    owners: Sequence[str] = ("organisation_id",),
    operator: bool = False,
    append_only: bool = False,
) -> None:
    """Protect `table`: a row belongs to each organisation named in one of its `owners` columns.

    operator     the operator reads and writes every row
    append_only  nobody, not even the house, changes or deletes a row
    """
    own = " OR ".join(f"{column} = {ORGANISATION}" for column in owners)
    every = "('system', 'operator')" if operator else "('system')"
    visible_to(table, f"{SCOPE} IN {every} OR {SCOPE} IS NOT NULL AND ({own})", append_only)


def visible_to(table: str, condition: str, append_only: bool = False) -> None:
    """Protect `table` by a condition of its own, for reading and writing alike."""
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    if append_only:
        op.execute(f"CREATE POLICY may_see ON {table} FOR SELECT USING ({condition})")
        op.execute(f"CREATE POLICY may_add ON {table} FOR INSERT WITH CHECK ({condition})")
        return
    op.execute(f"CREATE POLICY may ON {table} USING ({condition}) WITH CHECK ({condition})")
