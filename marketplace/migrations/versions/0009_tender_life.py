"""Tables of the whole tender life: approval, documents, questions, sealed offers, awards."""

from __future__ import annotations

from alembic import op

from marketplace.migrations.policies import ORGANISATION, SCOPE, tenant_table, visible_to

revision = "0009"
down_revision = "0008"

TABLES = [
    """ALTER TABLE tenders
        ADD COLUMN needs_approval boolean NOT NULL DEFAULT false,
        ADD COLUMN approved_by uuid,
        ADD COLUMN offers_due_at timestamptz,
        ADD COLUMN two_person boolean NOT NULL DEFAULT false,
        ADD COLUMN opened_at timestamptz,
        ADD COLUMN begins_at timestamptz,
        ADD COLUMN addenda_count integer NOT NULL DEFAULT 0""",
    # Frozen with the pseudonym, so that an admission sent twice is the same command.
    "ALTER TABLE auction_participants ADD COLUMN rating text",
    """CREATE TABLE tender_policies (
        buyer_id uuid PRIMARY KEY REFERENCES organisations (id),
        currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
        approval_limit_minor bigint CHECK (approval_limit_minor >= 0),
        changed_by uuid NOT NULL,
        changed_at timestamptz NOT NULL
    )""",
    """CREATE TABLE tender_documents (
        id uuid PRIMARY KEY,
        tender_id uuid NOT NULL REFERENCES tenders (id),
        buyer_id uuid NOT NULL,
        name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 200),
        version integer NOT NULL CHECK (version >= 1),
        media_type text NOT NULL,
        size_bytes bigint NOT NULL CHECK (size_bytes > 0),
        sha256 text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
        internal boolean NOT NULL DEFAULT false,
        author_id uuid NOT NULL,
        created_at timestamptz NOT NULL,
        CONSTRAINT uq_tender_documents_version UNIQUE (tender_id, name, version)
    )""",
    """CREATE TABLE tender_document_chunks (
        document_id uuid NOT NULL REFERENCES tender_documents (id) ON DELETE CASCADE,
        position integer NOT NULL,
        buyer_id uuid NOT NULL,
        content bytea NOT NULL CHECK (octet_length(content) BETWEEN 1 AND 262144),
        PRIMARY KEY (document_id, position)
    )""",
    """CREATE TABLE tender_questions (
        id uuid PRIMARY KEY,
        tender_id uuid NOT NULL REFERENCES tenders (id),
        buyer_id uuid NOT NULL,
        organisation_id uuid NOT NULL REFERENCES organisations (id),
        asked_by uuid NOT NULL,
        text text NOT NULL,
        asked_at timestamptz NOT NULL
    )""",
    "CREATE INDEX ix_tender_questions_tender_id ON tender_questions (tender_id, id)",
    # What everybody reads stands apart from who asked, so no query can join the two by mistake.
    """CREATE TABLE tender_answers (
        id uuid PRIMARY KEY,
        question_id uuid NOT NULL CONSTRAINT uq_tender_answers_question_id UNIQUE
            REFERENCES tender_questions (id),
        tender_id uuid NOT NULL REFERENCES tenders (id),
        buyer_id uuid NOT NULL,
        question text NOT NULL,
        answer text NOT NULL,
        answered_by uuid NOT NULL,
        answered_at timestamptz NOT NULL
    )""",
    "CREATE INDEX ix_tender_answers_tender_id ON tender_answers (tender_id, id)",
    """CREATE TABLE tender_addenda (
        tender_id uuid NOT NULL REFERENCES tenders (id),
        number integer NOT NULL CHECK (number >= 1),
        buyer_id uuid NOT NULL,
        text text NOT NULL,
        changes jsonb NOT NULL DEFAULT '[]',
        author_id uuid NOT NULL,
        created_at timestamptz NOT NULL,
        PRIMARY KEY (tender_id, number)
    )""",
    """CREATE TABLE tender_keys (
        tender_id uuid PRIMARY KEY REFERENCES tenders (id),
        buyer_id uuid NOT NULL,
        public_key bytea NOT NULL CHECK (octet_length(public_key) = 32),
        created_at timestamptz NOT NULL
    )""",
    """CREATE TABLE tender_key_shares (
        tender_id uuid NOT NULL REFERENCES tender_keys (tender_id),
        number integer NOT NULL CHECK (number IN (1, 2)),
        buyer_id uuid NOT NULL,
        sealed bytea NOT NULL,
        released_by uuid,
        released_at timestamptz,
        PRIMARY KEY (tender_id, number),
        CONSTRAINT uq_tender_key_shares_person UNIQUE (tender_id, released_by)
    )""",
    """CREATE TABLE offers (
        id uuid PRIMARY KEY,
        lot_id uuid NOT NULL REFERENCES lots (id),
        tender_id uuid NOT NULL REFERENCES tenders (id),
        buyer_id uuid NOT NULL,
        organisation_id uuid NOT NULL REFERENCES organisations (id),
        author_id uuid NOT NULL,
        revision integer NOT NULL DEFAULT 1,
        state text NOT NULL DEFAULT 'sealed' CONSTRAINT ck_offers_state
            CHECK (state IN ('sealed', 'withdrawn', 'opened', 'accepted', 'rejected')),
        sealed bytea,
        content jsonb,
        price_minor bigint,
        reason text,
        submitted_at timestamptz NOT NULL,
        opened_at timestamptz,
        CONSTRAINT uq_offers_lot_id UNIQUE (lot_id, organisation_id),
        CONSTRAINT ck_offers_secret CHECK (opened_at IS NOT NULL OR
            (content IS NULL AND price_minor IS NULL))
    )""",
    "CREATE INDEX ix_offers_tender_id ON offers (tender_id, id)",
    """CREATE TABLE award_sheets (
        lot_id uuid PRIMARY KEY REFERENCES lots (id),
        tender_id uuid NOT NULL REFERENCES tenders (id),
        buyer_id uuid NOT NULL,
        rows jsonb NOT NULL,
        frozen_at timestamptz NOT NULL
    )""",
    """CREATE TABLE awards (
        id uuid PRIMARY KEY,
        lot_id uuid NOT NULL REFERENCES lots (id),
        tender_id uuid NOT NULL REFERENCES tenders (id),
        buyer_id uuid NOT NULL,
        organisation_id uuid NOT NULL REFERENCES organisations (id),
        author_id uuid NOT NULL,
        state text NOT NULL DEFAULT 'proposed' CONSTRAINT ck_awards_state CHECK (state IN
            ('proposed', 'awaiting_approval', 'offered', 'accepted', 'declined', 'refused',
             'withdrawn')),
        rank integer NOT NULL CHECK (rank >= 1),
        needs_approval boolean NOT NULL,
        share_percent numeric NOT NULL CHECK (share_percent > 0 AND share_percent <= 100),
        price_minor bigint NOT NULL CHECK (price_minor >= 0),
        value_minor bigint NOT NULL CHECK (value_minor >= 0),
        evaluated text NOT NULL,
        reason text,
        instead_of uuid REFERENCES awards (id),
        created_at timestamptz NOT NULL,
        decided_at timestamptz
    )""",
    "CREATE INDEX ix_awards_lot_id ON awards (lot_id, id)",
    "CREATE INDEX ix_awards_organisation_id ON awards (organisation_id, id DESC)",
]

SYSTEM = f"{SCOPE} = 'system'"
BUYER = f"buyer_id = {ORGANISATION}"
TENDER_VISIBLE = "EXISTS (SELECT FROM tenders t WHERE t.id = {table}.tender_id)"


def read_by_all(table: str, condition: str = "true") -> None:
    """The buyer writes; whoever sees the tender reads, where `condition` holds."""
    visible_to(table, f"{SYSTEM} OR {BUYER}")
    seen = TENDER_VISIBLE.format(table=table)
    op.execute(f"CREATE POLICY seen ON {table} FOR SELECT USING ({condition} AND {seen})")


def upgrade() -> None:
    for statement in TABLES:
        op.execute(statement)
    tenant_table("tender_policies", owners=["buyer_id"])
    read_by_all("tender_documents", "NOT internal")
    visible_to("tender_document_chunks", f"{SYSTEM} OR {BUYER}")
    op.execute(
        "CREATE POLICY seen ON tender_document_chunks FOR SELECT"
        " USING (EXISTS (SELECT FROM tender_documents d WHERE d.id = document_id))"
    )
    tenant_table("tender_questions", owners=["buyer_id", "organisation_id"])
    read_by_all("tender_answers")
    read_by_all("tender_addenda")
    # The public half is for every bidder, the shares are for the house alone.
    read_by_all("tender_keys")
    visible_to("tender_key_shares", SYSTEM)
    op.execute(f"CREATE POLICY born ON tender_key_shares FOR INSERT WITH CHECK ({BUYER})")
    # Before the opening the buyer does not even see that there is an offer.
    visible_to(
        "offers",
        f"{SYSTEM} OR organisation_id = {ORGANISATION} OR {BUYER} AND opened_at IS NOT NULL",
    )
    visible_to("award_sheets", f"{SYSTEM} OR {BUYER}")
    # A proposal is the buyer's own until it is offered.
    visible_to("awards", f"{SYSTEM} OR {BUYER}")
    winner = f"state IN ('offered', 'accepted', 'declined') AND organisation_id = {ORGANISATION}"
    op.execute(f"CREATE POLICY offered ON awards FOR SELECT USING ({winner})")
    op.execute(f"CREATE POLICY answered ON awards FOR UPDATE USING ({winner})")
