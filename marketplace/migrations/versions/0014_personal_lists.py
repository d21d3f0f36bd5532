"""The operator reads price lists as every member does: a personal one is nobody else's business."""

from __future__ import annotations

from alembic import op

from marketplace.migrations.policies import ORGANISATION, SCOPE

revision = "0014"
down_revision = "0013"

_OWN = f"{SCOPE} = 'system' OR {SCOPE} IS NOT NULL AND supplier_id = {ORGANISATION}"
_OFFERED = f"""state = 'active' AND content > 0 AND pricing_supplier_active(supplier_id)
    AND (kind = 'base' OR kind = 'agreement' AND partner_id = {ORGANISATION}
         OR kind = 'tier' AND EXISTS (
            SELECT FROM price_tier_members m WHERE m.supplier_id = price_lists.supplier_id
            AND m.tier = price_lists.tier AND m.organisation_id = {ORGANISATION}))"""


def upgrade() -> None:
    seen = f"{_OWN} OR {SCOPE} IS NOT NULL AND ({_OFFERED})"
    op.execute(f"ALTER POLICY may_see ON price_lists USING ({seen})")
    op.execute(f"ALTER POLICY may_add ON price_lists WITH CHECK ({_OWN})")
    op.execute(f"ALTER POLICY may_change ON price_lists USING ({_OWN})")
    op.execute(f"ALTER POLICY may_remove ON price_lists USING ({_OWN})")
