"""Documents of any subject in one table: that of orders becomes it, those of tenders move in.

Row-level security has a policy for each kind of subject. A certificate's document must exist;
certificates recorded before are left as they are.
"""

from __future__ import annotations

from alembic import op

from marketplace.migrations.policies import ORGANISATION, SCOPE

revision = "0140"
down_revision = "0093"

_GENERALISE = [
    "DROP POLICY may ON order_documents",
    "DROP POLICY may ON order_document_chunks",
    "ALTER TABLE order_documents RENAME TO documents",
    "ALTER TABLE documents RENAME COLUMN order_id TO subject_id",
    "ALTER TABLE documents RENAME COLUMN claim_id TO part_id",
    "ALTER TABLE documents DROP CONSTRAINT order_documents_order_id_fkey",
    "ALTER TABLE documents DROP CONSTRAINT order_documents_claim_id_fkey",
    "ALTER TABLE documents RENAME CONSTRAINT uq_order_documents_version TO uq_documents_version",
    "ALTER INDEX order_documents_pkey RENAME TO pk_documents",
    "ALTER TABLE documents ADD COLUMN subject text NOT NULL DEFAULT 'order'",
    "ALTER TABLE documents ALTER COLUMN subject DROP DEFAULT",
    "ALTER TABLE order_document_chunks RENAME TO document_chunks",
    "ALTER INDEX order_document_chunks_pkey RENAME TO pk_document_chunks",
]
_OWN = f"organisation_id = {ORGANISATION}"
_ORDER = f"""subject = 'order'
    AND ({SCOPE} IN ('system', 'operator') OR {_OWN} OR NOT internal)
    AND EXISTS (SELECT FROM orders o WHERE o.id = documents.subject_id)"""
_TENDER = f"""subject = 'tender' AND ({SCOPE} = 'system' OR {_OWN} AND {SCOPE} <> 'employee')
    AND EXISTS (SELECT FROM tenders t
        WHERE t.id = documents.subject_id AND t.buyer_id = documents.organisation_id)"""
_TENDER_READ = """subject = 'tender' AND NOT internal
    AND EXISTS (SELECT FROM tenders t WHERE t.id = documents.subject_id)"""
_CHUNK = "EXISTS (SELECT FROM documents d WHERE d.id = document_chunks.document_id)"
_GUARD = [
    f"CREATE POLICY of_orders ON documents USING ({_ORDER}) WITH CHECK ({_ORDER})",
    f"CREATE POLICY of_tenders ON documents USING ({_TENDER}) WITH CHECK ({_TENDER})",
    f"CREATE POLICY read_tenders ON documents FOR SELECT USING ({_TENDER_READ})",
    f"CREATE POLICY may ON document_chunks USING ({_CHUNK}) WITH CHECK ({_CHUNK})",
]
_MOVE_TENDERS = [
    """INSERT INTO documents (id, subject, subject_id, organisation_id, name, version, media_type,
            size_bytes, sha256, internal, author_id, created_at)
        SELECT id, 'tender', tender_id, buyer_id, name, version, media_type,
            size_bytes, sha256, internal, author_id, created_at FROM tender_documents""",
    """INSERT INTO document_chunks (document_id, position, content)
        SELECT document_id, position, content FROM tender_document_chunks""",
    "DROP TABLE tender_document_chunks",
    "DROP TABLE tender_documents",
]
_CERTIFICATES = """ALTER TABLE certificates ADD CONSTRAINT fk_certificates_document_id
    FOREIGN KEY (document_id) REFERENCES documents (id) NOT VALID"""


def upgrade() -> None:
    op.execute("SELECT set_config('app.scope', 'system', true)")
    for statement in (*_GENERALISE, *_GUARD, *_MOVE_TENDERS):
        op.execute(statement)
    op.execute(_CERTIFICATES)
