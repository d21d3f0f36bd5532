"""A tier list may be for a tier of the operator's partner programme: `programme:CODE`. Who is in it
is said by the programme alone, never by a supplier.
"""

from __future__ import annotations

from alembic import op

from marketplace.migrations.policies import ORGANISATION, SCOPE

revision = "0101"
down_revision = "0100"

_OWN = f"{SCOPE} IS NOT NULL AND supplier_id = {ORGANISATION}"
_MAY_READ_BASE = f"({SCOPE} = 'operator' OR (SELECT pricing_buyer({ORGANISATION})))"
_OFFERED = f"""state = 'active' AND content > 0 AND pricing_supplier_active(supplier_id)
    AND (kind = 'base' AND {_MAY_READ_BASE} OR kind = 'agreement' AND partner_id = {ORGANISATION}
         OR kind = 'tier' AND EXISTS (
            SELECT FROM price_tier_members m WHERE m.organisation_id = {ORGANISATION}
            AND CASE WHEN m.programme THEN price_lists.tier = 'programme:' || m.tier
                ELSE m.supplier_id = price_lists.supplier_id AND m.tier = price_lists.tier END))"""


def upgrade() -> None:
    op.execute("ALTER TABLE price_tier_members ADD COLUMN programme boolean NOT NULL DEFAULT false")
    op.execute(
        f"""ALTER POLICY may_see ON price_lists
        USING ({SCOPE} = 'system' OR {_OWN} OR {SCOPE} IS NOT NULL AND ({_OFFERED}))"""
    )
