"""Tables of tenders."""

from __future__ import annotations

from alembic import op

from marketplace.migrations.policies import ORGANISATION, SCOPE

revision = "0002"
down_revision = "0001"

TABLES = [
    """CREATE TABLE tenders (
        id uuid PRIMARY KEY,
        buyer_id uuid NOT NULL REFERENCES organisations (id),
        author_id uuid NOT NULL REFERENCES users (id),
        title text NOT NULL CHECK (char_length(title) BETWEEN 1 AND 200),
        description text NOT NULL DEFAULT '',
        currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
        access text NOT NULL DEFAULT 'invited'
            CONSTRAINT ck_tenders_access CHECK (access IN ('invited', 'open')),
        state text NOT NULL DEFAULT 'draft' CONSTRAINT ck_tenders_state CHECK (state IN
            ('draft', 'awaiting_approval', 'published', 'opened', 'in_auction', 'awarding',
             'awarded', 'cancelled', 'unsuccessful')),
        terms jsonb NOT NULL DEFAULT '{}',
        reason text,
        created_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL,
        published_at timestamptz
    )""",
    "CREATE INDEX ix_tenders_buyer_id ON tenders (buyer_id, id DESC)",
    """CREATE INDEX ix_tenders_open ON tenders (id DESC)
        WHERE access = 'open' AND state NOT IN ('draft', 'awaiting_approval')""",
    """CREATE TABLE lots (
        id uuid PRIMARY KEY,
        tender_id uuid NOT NULL REFERENCES tenders (id),
        buyer_id uuid NOT NULL,
        position integer NOT NULL CHECK (position >= 0),
        title text NOT NULL CHECK (char_length(title) BETWEEN 1 AND 200),
        description text NOT NULL DEFAULT '',
        ceiling_minor bigint CHECK (ceiling_minor > 0),
        rules jsonb NOT NULL,
        CONSTRAINT uq_lots_tender_id UNIQUE (tender_id, position) DEFERRABLE INITIALLY DEFERRED
    )""",
    """CREATE TABLE lot_items (
        lot_id uuid NOT NULL REFERENCES lots (id) ON DELETE CASCADE,
        position integer NOT NULL CHECK (position >= 0),
        tender_id uuid NOT NULL,
        buyer_id uuid NOT NULL,
        item_id uuid,
        name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 200),
        description text NOT NULL DEFAULT '',
        quantity numeric NOT NULL CHECK (quantity > 0),
        unit text NOT NULL,
        classification jsonb,
        PRIMARY KEY (lot_id, position)
    )""",
    "CREATE INDEX ix_lot_items_tender_id ON lot_items (tender_id)",
    """CREATE TABLE tender_invitations (
        tender_id uuid NOT NULL REFERENCES tenders (id),
        organisation_id uuid NOT NULL REFERENCES organisations (id),
        buyer_id uuid NOT NULL,
        invited_by uuid NOT NULL,
        created_at timestamptz NOT NULL,
        sent_at timestamptz,
        bonus_percent text NOT NULL DEFAULT '0',
        bonus_minor bigint NOT NULL DEFAULT 0,
        PRIMARY KEY (tender_id, organisation_id)
    )""",
    """CREATE INDEX ix_tender_invitations_organisation_id
        ON tender_invitations (organisation_id, tender_id DESC)""",
    """CREATE TABLE tender_participations (
        tender_id uuid NOT NULL REFERENCES tenders (id),
        organisation_id uuid NOT NULL REFERENCES organisations (id),
        buyer_id uuid NOT NULL,
        accepted_by uuid NOT NULL,
        accepted_at timestamptz NOT NULL,
        PRIMARY KEY (tender_id, organisation_id)
    )""",
    """CREATE INDEX ix_tender_participations_organisation_id
        ON tender_participations (organisation_id, tender_id DESC)""",
    """CREATE TABLE auctions (
        id uuid PRIMARY KEY,
        lot_id uuid NOT NULL REFERENCES lots (id),
        tender_id uuid NOT NULL REFERENCES tenders (id),
        buyer_id uuid NOT NULL,
        state text NOT NULL DEFAULT 'scheduled' CONSTRAINT ck_auctions_state
            CHECK (state IN ('scheduled', 'closed', 'cancelled')),
        starts_at timestamptz NOT NULL,
        cancel_reason text,
        created_at timestamptz NOT NULL,
        ended_at timestamptz,
        CONSTRAINT ck_auctions_ended CHECK ((state = 'scheduled') = (ended_at IS NULL))
    )""",
    "CREATE UNIQUE INDEX uq_auctions_lot_id ON auctions (lot_id) WHERE state <> 'cancelled'",
    "CREATE INDEX ix_auctions_tender_id ON auctions (tender_id)",
    "CREATE INDEX ix_auctions_due ON auctions (starts_at) WHERE state = 'scheduled'",
    """CREATE TABLE auction_participants (
        auction_id uuid NOT NULL REFERENCES auctions (id),
        alias text NOT NULL CHECK (char_length(alias) BETWEEN 1 AND 64),
        organisation_id uuid NOT NULL REFERENCES organisations (id),
        tender_id uuid NOT NULL,
        buyer_id uuid NOT NULL,
        created_at timestamptz NOT NULL,
        admitted_at timestamptz,
        PRIMARY KEY (auction_id, alias),
        CONSTRAINT uq_auction_participants_organisation_id UNIQUE (auction_id, organisation_id)
    )""",
    """CREATE INDEX ix_auction_participants_waiting ON auction_participants (created_at)
        WHERE admitted_at IS NULL""",
]

SYSTEM = f"{SCOPE} = 'system'"
OWN = ORGANISATION

# A subquery on another table is itself under that table's policy. The chain is
# participants, auctions, lots -> tenders -> tender_invitations and ends there: no recursion.
TENDER_VISIBLE = "EXISTS (SELECT FROM tenders t WHERE t.id = {table}.tender_id)"
POLICIES = {
    "tenders": f"""{SCOPE} IS NOT NULL
        AND state NOT IN ('draft', 'awaiting_approval') AND (access = 'open' OR EXISTS (
        SELECT FROM tender_invitations i
        WHERE i.tender_id = tenders.id AND i.organisation_id = {OWN}))""",
    "tender_invitations": f"organisation_id = {OWN} AND sent_at IS NOT NULL",
    "tender_participations": f"organisation_id = {OWN}",
    "lots": TENDER_VISIBLE.format(table="lots"),
    "lot_items": TENDER_VISIBLE.format(table="lot_items"),
    "auctions": TENDER_VISIBLE.format(table="auctions"),
    "auction_participants": f"organisation_id = {OWN}",
}
JOINED_BY_SUPPLIERS = ["tender_participations", "auction_participants"]


def policies(table: str, seen_by_others: str) -> list[str]:
    """The buyer reads and writes its rows; others read what `seen_by_others` says and write
    nothing.
    """
    write = f"{SYSTEM} OR buyer_id = {OWN}"
    return [
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
        f"CREATE POLICY {table}_read ON {table} FOR SELECT"
        f" USING ({SYSTEM} OR buyer_id = {OWN} OR ({seen_by_others}))",
        f"CREATE POLICY {table}_insert ON {table} FOR INSERT WITH CHECK ({write})",
        f"CREATE POLICY {table}_update ON {table} FOR UPDATE USING ({write}) WITH CHECK ({write})",
        f"CREATE POLICY {table}_delete ON {table} FOR DELETE USING ({write})",
    ]


def joining(table: str) -> str:
    """A supplier adds rows of its own to a tender it can see; it changes and deletes none."""
    return (
        f"CREATE POLICY {table}_join ON {table} FOR INSERT WITH CHECK (organisation_id = {OWN}"
        f" AND EXISTS (SELECT FROM tenders t WHERE t.id = {table}.tender_id"
        f" AND t.buyer_id = {table}.buyer_id))"
    )


def upgrade() -> None:
    for statement in TABLES:
        op.execute(statement)
    for table, seen_by_others in POLICIES.items():
        for statement in policies(table, seen_by_others):
            op.execute(statement)
    for table in JOINED_BY_SUPPLIERS:
        op.execute(joining(table))
