"""Published base lists are for organisations that buy and for the operator: a supplier reads none
of its rivals' lists, nor what hangs on them.
"""

from __future__ import annotations

from alembic import op

from marketplace.migrations.policies import ORGANISATION, SCOPE

revision = "0020"
down_revision = "0017"

_HOUSE = f"{SCOPE} IN ('system', 'operator')"
_OWN = f"{SCOPE} IS NOT NULL AND supplier_id = {ORGANISATION}"
# In a sub-select the reader is looked up once a statement instead of once a list.
_MAY_READ_BASE = f"({SCOPE} = 'operator' OR (SELECT pricing_buyer({ORGANISATION})))"
_OFFERED = f"""state = 'active' AND content > 0 AND pricing_supplier_active(supplier_id)
    AND (kind = 'base' AND {_MAY_READ_BASE} OR kind = 'agreement' AND partner_id = {ORGANISATION}
         OR kind = 'tier' AND EXISTS (
            SELECT FROM price_tier_members m WHERE m.supplier_id = price_lists.supplier_id
            AND m.tier = price_lists.tier AND m.organisation_id = {ORGANISATION}))"""


def upgrade() -> None:
    # Its own setting lets it see an organisation's row, and nothing else leaves it.
    op.execute(
        """CREATE FUNCTION pricing_buyer(organisation uuid) RETURNS boolean
        LANGUAGE sql STABLE SET app.scope = 'system'
        AS $$ SELECT EXISTS (SELECT FROM organisations
            WHERE id = organisation AND state = 'active' AND 'buys' = ANY (capabilities)) $$"""
    )
    op.execute(
        f"""ALTER POLICY may_see ON price_lists
        USING ({SCOPE} = 'system' OR {_OWN} OR {SCOPE} IS NOT NULL AND ({_OFFERED}))"""
    )
    # Which SKUs a supplier has and how it combines its lists is for those who may read one of them.
    for table in ("sku_mappings", "price_settings"):
        op.execute(
            f"""ALTER POLICY may_see ON {table} USING ({_HOUSE} OR {_OWN} OR EXISTS (
                SELECT FROM price_lists l WHERE l.supplier_id = {table}.supplier_id))"""
        )
