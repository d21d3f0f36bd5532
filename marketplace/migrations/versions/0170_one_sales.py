"""One table of sales: what the programme measured moves into those that the ledger pays for."""

from __future__ import annotations

from alembic import op

from marketplace.migrations.policies import ORGANISATION, SCOPE

revision = "0170"
down_revision = "0141"

SALES = [
    "ALTER TABLE sales ADD COLUMN customer_id uuid, ADD COLUMN title text",
    """UPDATE sales s SET customer_id = o.buyer_id, title = o.title FROM orders o
        WHERE s.source_kind = 'order' AND s.source_id = o.id::text""",
    "UPDATE sales SET title = source_kind WHERE title IS NULL",
    "ALTER TABLE sales ALTER COLUMN title SET NOT NULL",
    # Without an agreement the ledger knew of no sale. `once` is written as the fact would do it.
    """INSERT INTO sales (id, source_kind, source_id, once, partner_id, customer_id, title,
            currency, amount_minor, refunded_minor, at, completed_at)
        SELECT p.id, p.source, p.source_id::text,
            p.source || ' ' || p.source_id || ' '
                || to_char(p.won_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS')
                || CASE date_part('microseconds', p.won_at)::bigint % 1000000 WHEN 0 THEN ''
                    ELSE to_char(p.won_at AT TIME ZONE 'UTC', '.US') END || '+00:00',
            p.partner_id, p.customer_id, p.title, p.currency, p.amount_minor, p.reversed_minor,
            coalesce(o.ordered_at, p.won_at), p.won_at
        FROM partner_sales p LEFT JOIN orders o ON p.source = 'order' AND o.id = p.source_id
        WHERE NOT EXISTS (SELECT FROM sales s WHERE s.source_kind = p.source
            AND s.source_id = p.source_id::text AND s.completed_at = p.won_at)""",
    """INSERT INTO sale_refunds (sale_id, reference, amount_minor, at)
        SELECT s.id, 'reopened', s.refunded_minor, now()
        FROM sales s JOIN partner_sales p USING (id) WHERE s.refunded_minor > 0""",
    # Claims that were upheld took nothing back of the programme's own sales. Half-even, as `share`.
    """WITH claim AS (
        SELECT s.id AS sale_id, s.amount_minor, c.id, c.number, coalesce(c.decided_at, now()) AS at,
            div(part, 10000) + CASE
                WHEN 2 * mod(part, 10000) > 10000 THEN 1
                WHEN 2 * mod(part, 10000) = 10000 THEN mod(div(part, 10000), 2) ELSE 0 END AS share
        FROM sales s JOIN partner_sales p USING (id)
            JOIN order_claims c ON p.source = 'order' AND c.order_id = p.source_id
                AND c.state = 'upheld',
            LATERAL (SELECT s.amount_minor::numeric * c.severity_bp AS part) parts
        WHERE s.refunded_minor = 0
    ), running AS (
        SELECT claim.*, sum(share) OVER (PARTITION BY sale_id ORDER BY number) AS total FROM claim
    )
    INSERT INTO sale_refunds (sale_id, reference, amount_minor, at)
        SELECT sale_id, 'claim ' || id,
            least(share, greatest(0, amount_minor - (total - share))), at
        FROM running""",
    """UPDATE sales s SET refunded_minor = r.total FROM partner_sales p,
            (SELECT sale_id, sum(amount_minor) AS total FROM sale_refunds GROUP BY sale_id) r
        WHERE p.id = s.id AND r.sale_id = s.id""",
    """CREATE TABLE sale_lines (
        sale_id uuid NOT NULL REFERENCES sales (id),
        position integer NOT NULL,
        item_id uuid,
        name text NOT NULL,
        unit text NOT NULL,
        quantity numeric NOT NULL,
        amount_minor bigint NOT NULL,
        PRIMARY KEY (sale_id, position)
    )""",
    """INSERT INTO sale_lines (sale_id, position, item_id, name, unit, quantity, amount_minor)
        SELECT s.id, l.position, l.item_id, l.name, l.unit, l.quantity, l.amount_minor
        FROM partner_sale_lines l JOIN partner_sales p ON p.id = l.sale_id
            JOIN sales s ON s.source_kind = p.source AND s.source_id = p.source_id::text
                AND s.completed_at = p.won_at""",
    "DROP TABLE partner_sale_lines",
    "DROP TABLE partner_sales",
    "DROP INDEX ix_sales_partner_id",
    "CREATE INDEX ix_sales_partner_id ON sales (partner_id, completed_at)",
]
# What a supplier without an agreement sells is no business of the operator.
OF_PARTNERS = f"""{SCOPE} = 'operator' AND EXISTS (
    SELECT FROM agreements a WHERE a.partner_id = sales.partner_id)"""
READERS = (
    f"{SCOPE} = 'system' OR {SCOPE} = 'tenant' AND partner_id = {ORGANISATION} OR {OF_PARTNERS}"
)


def upgrade() -> None:
    op.execute("SELECT set_config('app.scope', 'system', true)")
    for statement in SALES:
        op.execute(statement)
    op.execute("DROP POLICY may_see ON sales")
    op.execute(f"CREATE POLICY may_see ON sales FOR SELECT USING ({READERS})")
    op.execute("ALTER TABLE sale_lines ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE sale_lines FORCE ROW LEVEL SECURITY")
    seen = "EXISTS (SELECT FROM sales s WHERE s.id = sale_id)"
    op.execute(f"CREATE POLICY may_see ON sale_lines FOR SELECT USING ({seen})")
    op.execute(f"CREATE POLICY may_add ON sale_lines FOR INSERT WITH CHECK ({SCOPE} = 'system')")
