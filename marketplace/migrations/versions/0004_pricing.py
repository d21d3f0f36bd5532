"""Tables of pricing: the catalogue, price lists with versions that share unchanged lines, uploads.

A line lives from version number `since` up to, not including, `until`; a list's `content` says
which number readers see. Publishing writes lines of a number nobody reads yet and then changes that
one number.
"""

from __future__ import annotations

from decimal import Decimal

from alembic import op
from sqlalchemy import text

from marketplace.kernel.settings import APP_ROLE
from marketplace.migrations.policies import ORGANISATION, SCOPE, tenant_table, visible_to
from marketplace.migrations.units import BUILT_IN_ALIASES, BUILT_IN_UNITS

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    for statement in [*_CATALOGUE, *_LISTS, *_IMPORTS]:
        op.execute(statement)
    connection = op.get_bind()
    connection.execute(
        text("INSERT INTO units VALUES (:code, :name, '', 'built-in', :base, :factor)"),
        [
            {"code": code, "name": name, "base": base, "factor": Decimal(factor)}
            for code, (name, base, factor) in BUILT_IN_UNITS.items()
        ],
    )
    connection.execute(
        text("INSERT INTO unit_aliases VALUES (:alias, :code)"),
        [{"alias": alias, "code": code} for alias, code in BUILT_IN_ALIASES.items()],
    )
    for table in ("categories", "classifications", "classification_names", "units"):
        _shared(table)
    for table in ("unit_aliases", "exchange_rates"):
        _shared(table)
    _owned_and_read("items", "organisation_id", "true")
    _owned_and_read("sku_mappings", "supplier_id", "true")
    _owned_and_read("price_lists", "supplier_id", _LIST_VISIBLE)
    for table in ("price_versions", "price_lines"):
        column = "list_id" if table == "price_versions" else "list_no"
        name = "id" if table == "price_versions" else "list_no"
        condition = f"EXISTS (SELECT FROM price_lists l WHERE l.{name} = {table}.{column}"
        _protect(
            table,
            f"{SCOPE} = 'system' OR {condition})",
            f"{SCOPE} = 'system' OR {condition} AND l.supplier_id = {ORGANISATION})",
        )
    tenant_table("price_tier_members", owners=["supplier_id", "organisation_id"])
    _owned_and_read("price_settings", "supplier_id", "true")
    for table in ("price_imports", "price_import_errors", "price_import_rejects"):
        tenant_table(table, owners=["supplier_id"])
    for table in ("price_import_chunks", "price_import_fingerprints", "column_mappings"):
        tenant_table(table, owners=["supplier_id"])
    visible_to("search_words", f"{SCOPE} IS NOT NULL")


def _protect(table: str, read: str, write: str) -> None:
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY may_see ON {table} FOR SELECT USING ({read})")
    op.execute(f"CREATE POLICY may_add ON {table} FOR INSERT WITH CHECK ({write})")
    op.execute(f"CREATE POLICY may_change ON {table} FOR UPDATE USING ({write})")
    op.execute(f"CREATE POLICY may_remove ON {table} FOR DELETE USING ({write})")


def _shared(table: str) -> None:
    """Everybody reads, the house and the operator write."""
    _protect(table, f"{SCOPE} IS NOT NULL", f"{SCOPE} IN ('system', 'operator')")


def _owned_and_read(table: str, owner: str, others: str) -> None:
    """The owner reads and writes; other organisations read the rows that fulfil `others`."""
    own = f"{SCOPE} IS NOT NULL AND {owner} = {ORGANISATION}"
    house = f"{SCOPE} IN ('system', 'operator')"
    _protect(
        table, f"{house} OR {own} OR {SCOPE} IS NOT NULL AND ({others})", f"{house} OR ({own})"
    )


# A personal list is nobody else's business; a blocked list or supplier offers nothing.
_LIST_VISIBLE = f"""state = 'active' AND content > 0 AND pricing_supplier_active(supplier_id)
    AND (kind = 'base' OR kind = 'agreement' AND partner_id = {ORGANISATION}
         OR kind = 'tier' AND EXISTS (
            SELECT FROM price_tier_members m WHERE m.supplier_id = price_lists.supplier_id
            AND m.tier = price_lists.tier AND m.organisation_id = {ORGANISATION}))"""

_CATALOGUE = [
    """CREATE TABLE categories (
        id uuid PRIMARY KEY,
        parent_id uuid REFERENCES categories,
        name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 200),
        names jsonb NOT NULL DEFAULT '{}',
        CONSTRAINT uq_categories_parent_id UNIQUE NULLS NOT DISTINCT (parent_id, name)
    )""",
    """CREATE TABLE classifications (
        scheme text NOT NULL,
        list_version text NOT NULL,
        code text COLLATE "C" NOT NULL,
        parent_code text COLLATE "C",
        depth integer NOT NULL,
        PRIMARY KEY (scheme, list_version, code)
    )""",
    """CREATE INDEX ix_classifications_parent
        ON classifications (scheme, list_version, parent_code)""",
    """CREATE TABLE classification_names (
        scheme text NOT NULL,
        list_version text NOT NULL,
        code text COLLATE "C" NOT NULL,
        language text NOT NULL,
        name text NOT NULL,
        PRIMARY KEY (scheme, list_version, code, language)
    )""",
    """CREATE TABLE units (
        code text PRIMARY KEY,
        name text NOT NULL,
        symbol text NOT NULL DEFAULT '',
        list_version text NOT NULL,
        base_code text,
        factor numeric CHECK (factor > 0)
    )""",
    """CREATE TABLE unit_aliases (alias text PRIMARY KEY, code text NOT NULL)""",
    """CREATE TABLE items (
        id uuid PRIMARY KEY,
        organisation_id uuid NOT NULL REFERENCES organisations,
        sku text COLLATE "C" NOT NULL CONSTRAINT uq_items_sku UNIQUE,
        gtin text COLLATE "C" CONSTRAINT uq_items_gtin UNIQUE,
        name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 300),
        names jsonb NOT NULL DEFAULT '{}',
        description text NOT NULL DEFAULT '' CHECK (char_length(description) <= 10000),
        kind text NOT NULL DEFAULT 'product' CHECK (kind IN ('product', 'service')),
        unit text NOT NULL,
        category_id uuid REFERENCES categories,
        scheme text,
        list_version text,
        code text COLLATE "C",
        state text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'blocked')),
        created_at timestamptz NOT NULL,
        search tsvector GENERATED ALWAYS AS (
            setweight(to_tsvector('simple', sku || ' ' || coalesce(gtin, '')), 'A')
            || setweight(to_tsvector('simple', name), 'A')
            || setweight(jsonb_to_tsvector('simple', names, '["string"]'), 'A')
            || setweight(to_tsvector('english', name), 'B')
            || setweight(to_tsvector('english', coalesce(names ->> 'en', '')), 'B')
            || setweight(to_tsvector('german', coalesce(names ->> 'de', '')), 'B')
            || setweight(to_tsvector('french', coalesce(names ->> 'fr', '')), 'B')
            || setweight(to_tsvector('spanish', coalesce(names ->> 'es', '')), 'B')
            || setweight(to_tsvector('russian', coalesce(names ->> 'ru', '')), 'B')
            || setweight(to_tsvector('simple', description), 'D')
            || setweight(to_tsvector('english', description), 'D')) STORED
    )""",
    "CREATE INDEX ix_items_search ON items USING gin (search)",
    "CREATE INDEX ix_items_category_id ON items (category_id, id)",
    "CREATE INDEX ix_items_code ON items (scheme, code, id)",
    "CREATE INDEX ix_items_name ON items (name, id)",
    # The vocabulary against which misspelt words are compared; it only ever grows.
    """CREATE TABLE search_words (word text COLLATE "C" PRIMARY KEY)""",
    r"""CREATE FUNCTION learn_words() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO search_words
        SELECT DISTINCT w FROM regexp_split_to_table(lower(concat_ws(' ', NEW.name, NEW.description,
            (SELECT string_agg(value, ' ') FROM jsonb_each_text(NEW.names)))), '[^[:alpha:]]+') w
        WHERE char_length(w) BETWEEN 3 AND 40
        ON CONFLICT DO NOTHING;
        RETURN NULL; END $$""",
    """CREATE TRIGGER learn AFTER INSERT OR UPDATE OF name, names, description ON items
        FOR EACH ROW EXECUTE FUNCTION learn_words()""",
    """CREATE TABLE sku_mappings (
        supplier_id uuid NOT NULL REFERENCES organisations,
        sku text COLLATE "C" NOT NULL,
        item_id uuid NOT NULL REFERENCES items,
        method text NOT NULL CHECK (method IN ('exact', 'gtin', 'similar', 'manual')),
        state text NOT NULL CHECK (state IN ('confirmed', 'proposed', 'rejected')),
        similarity integer CHECK (similarity BETWEEN 0 AND 100),
        created_at timestamptz NOT NULL,
        PRIMARY KEY (supplier_id, sku)
    )""",
    "CREATE INDEX ix_sku_mappings_item_id ON sku_mappings (item_id)",
    """CREATE TABLE exchange_rates (
        base text NOT NULL CHECK (base ~ '^[A-Z]{3}$'),
        quote text NOT NULL CHECK (quote ~ '^[A-Z]{3}$'),
        on_date date NOT NULL,
        rate numeric NOT NULL CHECK (rate > 0),
        source text NOT NULL,
        PRIMARY KEY (base, quote, on_date)
    )""",
]

_LISTS = [
    # Its own setting lets it see the state of an organisation, and nothing else leaves it.
    """CREATE FUNCTION pricing_supplier_active(supplier uuid) RETURNS boolean
        LANGUAGE sql STABLE SET app.scope = 'system'
        AS $$ SELECT EXISTS (SELECT FROM organisations WHERE id = supplier AND state = 'active')
        $$""",
    """CREATE TABLE price_tier_members (
        supplier_id uuid NOT NULL REFERENCES organisations,
        organisation_id uuid NOT NULL REFERENCES organisations,
        tier text NOT NULL CHECK (char_length(tier) BETWEEN 1 AND 60),
        PRIMARY KEY (supplier_id, organisation_id)
    )""",
    """CREATE TABLE price_settings (
        supplier_id uuid PRIMARY KEY REFERENCES organisations,
        combination text NOT NULL DEFAULT 'rank' CHECK (combination IN ('rank', 'lowest')),
        hold_change_percent numeric NOT NULL DEFAULT 50 CHECK (hold_change_percent > 0)
    )""",
    """CREATE TABLE price_lists (
        id uuid PRIMARY KEY,
        list_no integer GENERATED ALWAYS AS IDENTITY CONSTRAINT uq_price_lists_list_no UNIQUE,
        supplier_id uuid NOT NULL REFERENCES organisations,
        name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 200),
        kind text NOT NULL CHECK (kind IN ('base', 'tier', 'agreement')),
        tier text,
        partner_id uuid REFERENCES organisations,
        priority integer NOT NULL DEFAULT 100,
        state text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'blocked', 'archived')),
        version integer NOT NULL DEFAULT 0,
        content integer NOT NULL DEFAULT 0,
        last_content integer NOT NULL DEFAULT 0,
        created_at timestamptz NOT NULL,
        CONSTRAINT ck_price_lists_kind_fields CHECK
            ((kind = 'tier') = (tier IS NOT NULL)
             AND (kind = 'agreement') = (partner_id IS NOT NULL))
    )""",
    "CREATE INDEX ix_price_lists_supplier_id ON price_lists (supplier_id, id)",
    "CREATE INDEX ix_price_lists_partner_id ON price_lists (partner_id)",
    """CREATE TABLE price_versions (
        list_id uuid NOT NULL REFERENCES price_lists,
        version integer NOT NULL,
        content integer NOT NULL,
        import_id uuid,
        reverts integer,
        lines integer NOT NULL,
        skus integer NOT NULL,
        published_at timestamptz NOT NULL,
        published_by uuid,
        PRIMARY KEY (list_id, version)
    )""",
    """CREATE TABLE price_lines (
        list_no integer NOT NULL,
        since integer NOT NULL,
        until integer,
        row_no integer NOT NULL,
        fingerprint bigint,
        sku text COLLATE "C" NOT NULL,
        supplier_sku text,
        name text,
        unit text NOT NULL,
        currency text NOT NULL,
        price numeric NOT NULL,
        price_unit numeric NOT NULL,
        min_quantity numeric NOT NULL,
        valid_from date,
        valid_to date,
        lead_time_days integer,
        pack_size numeric,
        moq numeric,
        incoterm text
    )""",
    "CREATE INDEX ix_price_lines_list_no ON price_lines (list_no, sku)",
    # What a published version says never changes; only the number that ends a line is set, once.
    """CREATE FUNCTION price_line_is_final() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF OLD.until IS NOT NULL OR NEW.until < NEW.since
           OR (NEW.list_no, NEW.since, NEW.sku, NEW.price, NEW.price_unit, NEW.min_quantity,
               NEW.unit, NEW.currency)
              IS DISTINCT FROM (OLD.list_no, OLD.since, OLD.sku, OLD.price, OLD.price_unit,
               OLD.min_quantity, OLD.unit, OLD.currency)
           OR (NEW.valid_from, NEW.valid_to, NEW.name, NEW.supplier_sku, NEW.lead_time_days,
               NEW.pack_size, NEW.moq, NEW.incoterm)
              IS DISTINCT FROM (OLD.valid_from, OLD.valid_to, OLD.name, OLD.supplier_sku,
               OLD.lead_time_days, OLD.pack_size, OLD.moq, OLD.incoterm)
        THEN RAISE EXCEPTION 'a published price line never changes'; END IF;
        RETURN NEW; END $$""",
    """CREATE TRIGGER final BEFORE UPDATE ON price_lines
        FOR EACH ROW EXECUTE FUNCTION price_line_is_final()""",
]

_IMPORTS = [
    """CREATE TABLE price_imports (
        id uuid PRIMARY KEY,
        supplier_id uuid NOT NULL REFERENCES organisations,
        list_id uuid NOT NULL REFERENCES price_lists,
        created_by uuid,
        mode text NOT NULL CHECK (mode IN ('replace', 'merge', 'patch')),
        format text NOT NULL CHECK (format IN ('csv', 'xlsx', 'jsonl', 'parquet')),
        on_error text NOT NULL CHECK (on_error IN ('reject_all', 'reject_rows')),
        dry_run boolean NOT NULL,
        base_version integer,
        sha256 text,
        file_name text,
        columns jsonb,
        state text NOT NULL CHECK (state IN ('awaiting_upload', 'reading', 'validating', 'ready',
            'publishing', 'published', 'failed', 'cancelled', 'rolled_back')),
        stages jsonb NOT NULL DEFAULT '[]',
        failure_code text,
        failure_detail text,
        dialect jsonb NOT NULL DEFAULT '{}',
        report jsonb NOT NULL DEFAULT '{}',
        rows_read integer NOT NULL DEFAULT 0,
        rows_valid integer NOT NULL DEFAULT 0,
        rows_invalid integer NOT NULL DEFAULT 0,
        rows_applied integer NOT NULL DEFAULT 0,
        rows_unchanged integer NOT NULL DEFAULT 0,
        rows_held integer NOT NULL DEFAULT 0,
        bytes_done bigint NOT NULL DEFAULT 0,
        bytes_total bigint NOT NULL DEFAULT 0,
        step_done integer NOT NULL DEFAULT 0,
        step_total integer NOT NULL DEFAULT 0,
        validated_version integer,
        version integer,
        held_import_id uuid REFERENCES price_imports,
        accepts_held boolean NOT NULL DEFAULT false,
        confirm_removals integer,
        confirm_held integer,
        commit_wanted boolean NOT NULL DEFAULT false,
        committed_by uuid,
        due_at timestamptz,
        lease_until timestamptz,
        lease_token uuid,
        attempts integer NOT NULL DEFAULT 0,
        created_at timestamptz NOT NULL,
        started_at timestamptz,
        ended_at timestamptz
    )""",
    "CREATE INDEX ix_price_imports_due_at ON price_imports (due_at) WHERE due_at IS NOT NULL",
    "CREATE INDEX ix_price_imports_supplier_id ON price_imports (supplier_id, id)",
    "CREATE INDEX ix_price_imports_list_id ON price_imports (list_id, id)",
    """CREATE TABLE price_import_chunks (
        import_id uuid NOT NULL REFERENCES price_imports,
        supplier_id uuid NOT NULL,
        n integer NOT NULL,
        bytes bytea NOT NULL,
        PRIMARY KEY (import_id, n)
    )""",
    # Price files rarely shrink enough to be worth the processor that bids wait for.
    "ALTER TABLE price_import_chunks ALTER COLUMN bytes SET STORAGE EXTERNAL",
    """CREATE TABLE price_import_errors (
        import_id uuid NOT NULL REFERENCES price_imports,
        supplier_id uuid NOT NULL,
        row_no integer NOT NULL,
        n integer NOT NULL,
        "column" text,
        code text NOT NULL,
        severity text NOT NULL CHECK (severity IN ('error', 'warning', 'held')),
        value text,
        message text NOT NULL,
        hint text,
        PRIMARY KEY (import_id, row_no, n)
    )""",
    """CREATE TABLE price_import_rejects (
        import_id uuid NOT NULL REFERENCES price_imports,
        supplier_id uuid NOT NULL,
        row_no integer NOT NULL,
        cells jsonb NOT NULL,
        PRIMARY KEY (import_id, row_no)
    )""",
    """CREATE TABLE price_import_fingerprints (
        import_id uuid PRIMARY KEY REFERENCES price_imports,
        supplier_id uuid NOT NULL,
        reading text NOT NULL,
        fingerprints bytea NOT NULL
    )""",
    "ALTER TABLE price_import_fingerprints ALTER COLUMN fingerprints SET STORAGE EXTERNAL",
    """CREATE TABLE column_mappings (
        supplier_id uuid NOT NULL REFERENCES organisations,
        header_hash bytea NOT NULL,
        columns jsonb NOT NULL,
        used_at timestamptz NOT NULL,
        PRIMARY KEY (supplier_id, header_hash)
    )""",
    """CREATE FUNCTION price_stage_entered(stages jsonb, stage jsonb, at text) RETURNS jsonb
        LANGUAGE sql IMMUTABLE AS $$
        SELECT CASE WHEN stages -> -1 ->> 'name' IS NULL OR stages -> -1 ->> 'ended_at' IS NOT NULL
            THEN stages ELSE jsonb_set(stages,
                ARRAY[(jsonb_array_length(stages) - 1)::text, 'ended_at'], to_jsonb(at)) END
            || CASE WHEN stage IS NULL THEN '[]'::jsonb ELSE jsonb_build_array(stage) END $$""",
    # Each upload is staged in an unlogged table of its own that the application makes and drops.
    "CREATE SCHEMA staging",
    f"GRANT USAGE, CREATE ON SCHEMA staging TO {APP_ROLE}",
]
