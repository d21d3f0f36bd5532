"""Who invited each person, and who gave which role when: what two-person rules ask."""

from __future__ import annotations

from alembic import op

from marketplace.migrations.policies import tenant_table

revision = "0032"
down_revision = "0025"


def upgrade() -> None:
    # The policies hold for the owner of the tables too.
    op.execute("SELECT set_config('app.scope', 'system', true)")
    op.execute("ALTER TABLE users ADD COLUMN invited_by uuid REFERENCES users")
    op.execute(
        "UPDATE users u SET invited_by = i.invited_by FROM colleague_invitations i"
        " WHERE i.accepted_by = u.id"
    )
    op.execute(
        """CREATE TABLE role_grants (
            id uuid PRIMARY KEY,
            organisation_id uuid NOT NULL REFERENCES organisations,
            user_id uuid NOT NULL REFERENCES users,
            role text NOT NULL,
            granted_by uuid REFERENCES users,
            granted_at timestamptz NOT NULL,
            ended_at timestamptz
        )"""
    )
    op.execute(
        "CREATE UNIQUE INDEX uq_role_grants_held ON role_grants (user_id, role)"
        " WHERE ended_at IS NULL"
    )
    tenant_table("role_grants")
    # A change of roles wrote them at the very time of its entry in the log; else they came with
    # the invitation, or with the registration, which nobody granted.
    op.execute(
        """INSERT INTO role_grants
        SELECT gen_random_uuid(), m.organisation_id, m.user_id, m.role, coalesce(
            (SELECT a.actor_user_id FROM audit_log a WHERE a.what = 'roles_changed'
                AND a.subject_id = m.user_id AND a.at = m.created_at LIMIT 1), u.invited_by),
            m.created_at, u.disabled_at
        FROM memberships m JOIN users u ON u.id = m.user_id"""
    )
