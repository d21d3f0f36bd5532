"""Links in mails that let in whoever has them are sealed until they are sent."""

from __future__ import annotations

from alembic import op

revision = "0030"
down_revision = "0020"


def upgrade() -> None:
    # The policies hold for the owner of the tables too.
    op.execute("SELECT set_config('app.scope', 'system', true)")
    op.execute("ALTER TABLE exchange_mails ADD COLUMN link_sealed bytea")
    # A migration does not know the master secret: invitations that wait in plain are given up.
    op.execute(
        "UPDATE exchange_mails SET path = '/', state = 'dead',"
        " last_error = 'Invite once more: the link was not sealed.'"
        " WHERE kind = 'colleague.invited' AND state <> 'sent'"
    )
    op.execute("UPDATE exchange_mails SET path = '/' WHERE kind = 'colleague.invited'")
