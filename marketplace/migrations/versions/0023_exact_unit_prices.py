"""Unit prices of orders keep the precision of the list, and the list's own price stands beside."""

from __future__ import annotations

from alembic import op

revision = "0023"
down_revision = "0035"


# Minor units in one major unit, as the amounts so far were written.
_SCALE = """(CASE WHEN o.currency IN ('BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG',
        'RWF', 'UGX', 'UYI', 'VND', 'VUV', 'XAF', 'XOF', 'XPF') THEN 1
    WHEN o.currency IN ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND') THEN 1000
    ELSE 100 END)::numeric"""


def upgrade() -> None:
    op.execute("SELECT set_config('app.scope', 'system', true)")
    op.execute(
        """ALTER TABLE order_lines ADD COLUMN price numeric CHECK (price >= 0),
        ADD COLUMN list_price numeric, ADD COLUMN list_id uuid, ADD COLUMN list_version integer"""
    )
    op.execute(
        f"""UPDATE order_lines l SET price = l.price_minor / {_SCALE}
        FROM orders o WHERE o.id = l.order_id"""  # noqa: S608  # constants only
    )
    op.execute("ALTER TABLE order_lines DROP COLUMN price_minor")
    op.execute("ALTER TABLE order_references ADD COLUMN reference numeric CHECK (reference > 0)")
    op.execute(
        f"""UPDATE order_references r SET reference = r.reference_minor / {_SCALE}
        FROM orders o WHERE o.id = r.order_id"""  # noqa: S608  # constants only
    )
    op.execute("ALTER TABLE order_references DROP COLUMN reference_minor")
    op.execute("ALTER TABLE order_references ALTER COLUMN reference SET NOT NULL")
