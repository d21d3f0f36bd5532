"""A partner employee sees own and assigned records only: the scope `employee` and who is assigned.

In this scope a table shows what `tenant` shows, narrowed to orders and tenders that the user made
or is assigned to. Nothing is seen as a buyer of tenders: no partner employee has a buyer's role.
"""

from __future__ import annotations

from alembic import op

from marketplace.migrations.policies import ORGANISATION, SCOPE, USER, tenant_table

revision = "0021"
down_revision = "0031"

_SYSTEM = f"{SCOPE} = 'system'"
_HOUSE = f"{SCOPE} IN ('system', 'operator')"
_WHOLE = f"{SCOPE} <> 'employee'"
"""The reader sees the whole organisation."""

_ASSIGNED = f"(SELECT assigned_records({USER}))"
_BUYER = f"buyer_id = {ORGANISATION} AND {_WHOLE}"
_OWN = f"organisation_id = {ORGANISATION}"
_MY_TENDER = f"({_WHOLE} OR tender_id IN {_ASSIGNED})"

_TABLE = """CREATE TABLE assignments (
    subject_id uuid NOT NULL,
    user_id uuid NOT NULL REFERENCES users (id),
    organisation_id uuid NOT NULL REFERENCES organisations (id),
    subject text NOT NULL CONSTRAINT ck_assignments_subject CHECK (subject IN ('order', 'tender')),
    assigned_by uuid NOT NULL,
    assigned_at timestamptz NOT NULL,
    PRIMARY KEY (subject_id, user_id)
)"""
# A policy that read the table itself would be planned, with that table's policy, by every query.
_FUNCTION = """CREATE FUNCTION assigned_records(reader uuid) RETURNS SETOF uuid
    LANGUAGE sql STABLE SET app.scope = 'system'
    AS $$ SELECT subject_id FROM assignments WHERE user_id = reader $$"""

_ORDERS = f"""{_HOUSE}
    OR (buyer_id = {ORGANISATION}
        OR supplier_id = {ORGANISATION} AND (approver_id IS NULL OR ordered_at IS NOT NULL))
    AND ({_WHOLE} OR {USER} IN (author_id, responsible_id) OR id IN {_ASSIGNED})"""
_OF_TENDER = "EXISTS (SELECT FROM tenders t WHERE t.id = {table}.tender_id)"

# Read policies of the tables that suppliers read too: what others than the buyer see.
_READ = {
    "tenders": f"""{SCOPE} IS NOT NULL
        AND state NOT IN ('draft', 'awaiting_approval') AND (access = 'open' OR EXISTS (
        SELECT FROM tender_invitations i
        WHERE i.tender_id = tenders.id AND i.organisation_id = {ORGANISATION}))""",
    "tender_invitations": f"{_OWN} AND sent_at IS NOT NULL AND {_MY_TENDER}",
    "tender_participations": f"{_OWN} AND {_MY_TENDER}",
    "auction_participants": f"{_OWN} AND {_MY_TENDER}",
    "lots": _OF_TENDER.format(table="lots"),
    "lot_items": _OF_TENDER.format(table="lot_items"),
    "auctions": _OF_TENDER.format(table="auctions"),
}
# Policies for reading and writing alike.
_MAY = {
    "orders": _ORDERS,
    "order_references": f"{_HOUSE} OR {_BUYER}",
    "order_surveys": f"{_HOUSE} OR {_BUYER}",
    "tender_documents": f"{_SYSTEM} OR {_BUYER}",
    "tender_document_chunks": f"{_SYSTEM} OR {_BUYER}",
    "tender_answers": f"{_SYSTEM} OR {_BUYER}",
    "tender_addenda": f"{_SYSTEM} OR {_BUYER}",
    "tender_keys": f"{_SYSTEM} OR {_BUYER}",
    "award_sheets": f"{_SYSTEM} OR {_BUYER}",
    "awards": f"{_SYSTEM} OR {_BUYER}",
    "tender_questions": f"{_SYSTEM} OR {_BUYER} OR {_OWN} AND {_MY_TENDER}",
    "offers": f"{_SYSTEM} OR {_OWN} AND {_MY_TENDER} OR {_BUYER} AND opened_at IS NOT NULL",
    "practice_auctions": f"{_SYSTEM} OR {_OWN} AND ({_WHOLE} OR user_id = {USER})",
}
_WINNER = f"state IN ('offered', 'accepted', 'declined') AND {_OWN} AND {_MY_TENDER}"


def upgrade() -> None:
    op.execute(_TABLE)
    op.execute("CREATE INDEX ix_assignments_user_id ON assignments (user_id, subject_id)")
    tenant_table("assignments")
    op.execute(_FUNCTION)
    for table, condition in _READ.items():
        op.execute(
            f"ALTER POLICY {table}_read ON {table} USING ({_SYSTEM} OR {_BUYER} OR ({condition}))"
        )
    for table, condition in _MAY.items():
        op.execute(f"ALTER POLICY may ON {table} USING ({condition}) WITH CHECK ({condition})")
    for policy in ("offered", "answered"):
        op.execute(f"ALTER POLICY {policy} ON awards USING ({_WINNER})")
    _assign_those_at_work()


def _assign_those_at_work() -> None:
    op.execute("SELECT set_config('app.scope', 'system', true)")
    op.execute(
        """INSERT INTO assignments
        SELECT p.tender_id, p.accepted_by, p.organisation_id, 'tender', p.accepted_by, p.accepted_at
        FROM tender_participations p"""
    )
    op.execute(
        """INSERT INTO assignments
        SELECT w.order_id, w.user_id, w.organisation_id, 'order', w.user_id, o.created_at
        FROM order_watchers w JOIN orders o ON o.id = w.order_id"""
    )
