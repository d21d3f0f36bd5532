"""Tables of accounts: organisations, users, roles, sessions, API keys, invitations, the audit log,
stored answers.
"""

from __future__ import annotations

from alembic import op

from marketplace.migrations.policies import tenant_table

revision = "0001"
down_revision = None


def upgrade() -> None:
    for statement in _TABLES:
        op.execute(statement)
    tenant_table("organisations", owners=["id"], operator=True)
    tenant_table("users", operator=True)
    tenant_table("memberships", operator=True)
    tenant_table("sessions")
    tenant_table("api_keys")
    tenant_table("colleague_invitations")
    tenant_table("audit_log", operator=True, append_only=True)
    tenant_table("idempotency_keys")
    op.execute(_DIRECTORY)


_TABLES = [
    """CREATE TABLE organisations (
        id uuid PRIMARY KEY,
        name text NOT NULL,
        country text NOT NULL,
        tax_id text NOT NULL,
        tax_id_normal text NOT NULL,
        capabilities text[] NOT NULL,
        state text NOT NULL CONSTRAINT ck_organisations_state
            CHECK (state IN ('prospect', 'active', 'suspended')),
        operator boolean NOT NULL DEFAULT false,
        created_at timestamptz NOT NULL,
        CONSTRAINT uq_organisations_tax_id UNIQUE (country, tax_id_normal)
    )""",
    """CREATE TABLE users (
        id uuid PRIMARY KEY,
        organisation_id uuid NOT NULL REFERENCES organisations,
        name text NOT NULL,
        email text NOT NULL,
        email_normal text NOT NULL CONSTRAINT uq_users_email_normal UNIQUE,
        password_hash text NOT NULL,
        totp_sealed bytea,
        totp_confirmed_at timestamptz,
        totp_last_step bigint NOT NULL DEFAULT 0,
        created_at timestamptz NOT NULL,
        disabled_at timestamptz
    )""",
    "CREATE INDEX ix_users_organisation_id ON users (organisation_id)",
    """CREATE TABLE memberships (
        organisation_id uuid NOT NULL REFERENCES organisations,
        user_id uuid NOT NULL REFERENCES users,
        role text NOT NULL,
        created_at timestamptz NOT NULL,
        PRIMARY KEY (user_id, organisation_id, role)
    )""",
    "CREATE INDEX ix_memberships_organisation_id ON memberships (organisation_id)",
    """CREATE TABLE sessions (
        id uuid PRIMARY KEY,
        organisation_id uuid NOT NULL REFERENCES organisations,
        user_id uuid NOT NULL REFERENCES users,
        token_hash bytea NOT NULL CONSTRAINT uq_sessions_token_hash UNIQUE,
        created_at timestamptz NOT NULL,
        last_seen_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL,
        ended_at timestamptz
    )""",
    "CREATE INDEX ix_sessions_user_id ON sessions (user_id)",
    """CREATE TABLE api_keys (
        id uuid PRIMARY KEY,
        organisation_id uuid NOT NULL REFERENCES organisations,
        user_id uuid NOT NULL REFERENCES users,
        name text NOT NULL,
        prefix text NOT NULL CONSTRAINT uq_api_keys_prefix UNIQUE,
        secret_hash bytea NOT NULL,
        scopes text[] NOT NULL,
        created_at timestamptz NOT NULL,
        expires_at timestamptz,
        last_used_at timestamptz,
        revoked_at timestamptz
    )""",
    "CREATE INDEX ix_api_keys_organisation_id ON api_keys (organisation_id)",
    """CREATE TABLE colleague_invitations (
        id uuid PRIMARY KEY,
        organisation_id uuid NOT NULL REFERENCES organisations,
        token_hash bytea NOT NULL CONSTRAINT uq_colleague_invitations_token_hash UNIQUE,
        email text NOT NULL,
        roles text[] NOT NULL,
        invited_by uuid NOT NULL REFERENCES users,
        created_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL,
        accepted_at timestamptz,
        accepted_by uuid REFERENCES users
    )""",
    """CREATE INDEX ix_colleague_invitations_organisation_id
        ON colleague_invitations (organisation_id)""",
    """CREATE TABLE audit_log (
        id uuid PRIMARY KEY,
        at timestamptz NOT NULL,
        organisation_id uuid NOT NULL REFERENCES organisations,
        actor_user_id uuid REFERENCES users,
        actor_organisation_id uuid REFERENCES organisations,
        what text NOT NULL,
        subject_id uuid,
        reason text
    )""",
    "CREATE INDEX ix_audit_log_organisation_id ON audit_log (organisation_id, id)",
    """CREATE TABLE idempotency_keys (
        organisation_id uuid NOT NULL,
        user_id uuid NOT NULL,
        key text NOT NULL,
        method text NOT NULL,
        path text NOT NULL,
        body_hash bytea NOT NULL,
        status integer NOT NULL,
        answer_sealed bytea NOT NULL,
        created_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL,
        PRIMARY KEY (organisation_id, user_id, key, method, path)
    )""",
    "CREATE INDEX ix_idempotency_keys_expires_at ON idempotency_keys (expires_at)",
]

# What every organisation may know of every other: a name, never a tax number. The function's own
# setting opens the table for exactly these columns, while the caller's scope stays as narrow as it
# was.
_DIRECTORY = """CREATE FUNCTION organisation_directory(ids uuid[])
    RETURNS TABLE (id uuid, name text, country text, capabilities text[], state text)
    LANGUAGE sql STABLE SET app.scope = 'system'
    AS $$ SELECT id, name, country, capabilities, state FROM organisations
          WHERE id = ANY (ids) $$"""
