"""Tables of the catalogue, of price lists and of uploads."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Column, Date, Integer, Numeric, Table, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.kernel.db import Base, Big
from pricing.imports.columns import COLUMNS

_TYPES = {"text": Text, "numeric": Numeric, "date": Date, "integer": Integer}


class Category(Base):
    """`names`: language → name."""

    __tablename__ = "categories"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    parent_id: Mapped[UUID | None]
    name: Mapped[str]
    names: Mapped[dict[str, str]] = mapped_column(JSONB)


class ClassificationCode(Base):
    """`depth` counts from 0 at the roots of the list."""

    __tablename__ = "classifications"

    scheme: Mapped[str] = mapped_column(primary_key=True)
    list_version: Mapped[str] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(primary_key=True)
    parent_code: Mapped[str | None]
    depth: Mapped[int]


class ClassificationName(Base):
    __tablename__ = "classification_names"

    scheme: Mapped[str] = mapped_column(primary_key=True)
    list_version: Mapped[str] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(primary_key=True)
    language: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]


class ListedUnit(Base):
    """One is `factor` of `base_code`; None where no conversion is known."""

    __tablename__ = "units"

    code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    symbol: Mapped[str]
    list_version: Mapped[str]
    base_code: Mapped[str | None]
    factor: Mapped[Decimal | None]


class CatalogueItem(Base):
    """An article of the shared catalogue; `search` is made by PostgreSQL."""

    __tablename__ = "items"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    organisation_id: Mapped[UUID]
    sku: Mapped[str]
    gtin: Mapped[str | None]
    name: Mapped[str]
    names: Mapped[dict[str, str]] = mapped_column(JSONB)
    description: Mapped[str]
    kind: Mapped[str]
    unit: Mapped[str]
    category_id: Mapped[UUID | None]
    scheme: Mapped[str | None]
    list_version: Mapped[str | None]
    code: Mapped[str | None]
    state: Mapped[str]
    created_at: Mapped[datetime]


class SkuMapping(Base):
    """Which item a supplier's SKU is; `similarity` in percent, of a proposal."""

    __tablename__ = "sku_mappings"

    supplier_id: Mapped[UUID] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(primary_key=True)
    item_id: Mapped[UUID]
    method: Mapped[str]
    state: Mapped[str]
    similarity: Mapped[int | None]
    created_at: Mapped[datetime]


class ExchangeRate(Base):
    """One `base` is `rate` of `quote` on that day, as known from `known_from` on."""

    __tablename__ = "exchange_rates"

    base: Mapped[str] = mapped_column(primary_key=True)
    quote: Mapped[str] = mapped_column(primary_key=True)
    on_date: Mapped[date] = mapped_column(primary_key=True)
    rate: Mapped[Decimal]
    source: Mapped[str]
    known_from: Mapped[datetime] = mapped_column(primary_key=True)


class TierMembership(Base):
    __tablename__ = "price_tier_members"

    supplier_id: Mapped[UUID] = mapped_column(primary_key=True)
    organisation_id: Mapped[UUID] = mapped_column(primary_key=True)
    tier: Mapped[str]
    programme: Mapped[bool]


class SupplierPricing(Base):
    """How a supplier's lists work together, and from which change on an uploaded row is held."""

    __tablename__ = "price_settings"

    supplier_id: Mapped[UUID] = mapped_column(primary_key=True)
    combination: Mapped[str]
    hold_change_percent: Mapped[Decimal]


class PriceList(Base):
    """list_no       the short number that lines have
    version       the one that is shown; 0 before the first
    content       which lines it shows; `last_content` is the newest there is
    reading       how its files are read where they do not tell
    """

    __tablename__ = "price_lists"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    list_no: Mapped[int]
    supplier_id: Mapped[UUID]
    name: Mapped[str]
    kind: Mapped[str]
    tier: Mapped[str | None]
    partner_id: Mapped[UUID | None]
    priority: Mapped[int]
    state: Mapped[str]
    version: Mapped[int]
    content: Mapped[int]
    last_content: Mapped[int]
    reading: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[datetime]


class PriceVersion(Base):
    """`reverts`: the version that this one took back."""

    __tablename__ = "price_versions"

    list_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    content: Mapped[int]
    import_id: Mapped[UUID | None]
    reverts: Mapped[int | None]
    lines: Mapped[int]
    skus: Mapped[int]
    published_at: Mapped[datetime]
    published_by: Mapped[UUID | None]


PRICE_LINES = Table(
    "price_lines",
    Base.metadata,
    Column("list_no", Integer, nullable=False),
    Column("since", Integer, nullable=False),
    Column("until", Integer),
    Column("row_no", Integer, nullable=False),
    Column("fingerprint", BigInteger),
    *(
        Column(each.name, _TYPES[each.kind.sql], nullable=not (each.required or each.default))
        for each in COLUMNS
    ),
)
"""What contents `since` to before `until` show; a line never changes but for its end."""


class PriceImport(Base):
    """One upload.

    reading       how its uploader said it is read
    dialect       how it was read
    report        what publishing does
    due_at        when a worker may take it; `lease_token` and `lease_until` are those of the one
                  that has it, or of a sender
    accepts_held  its owner confirmed the odd rows
    """

    __tablename__ = "price_imports"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    supplier_id: Mapped[UUID]
    list_id: Mapped[UUID]
    created_by: Mapped[UUID | None]
    mode: Mapped[str]
    format: Mapped[str]
    on_error: Mapped[str]
    dry_run: Mapped[bool]
    base_version: Mapped[int | None]
    sha256: Mapped[str | None]
    file_name: Mapped[str | None]
    reading: Mapped[dict[str, Any]] = mapped_column(JSONB)
    state: Mapped[str]
    stages: Mapped[list[Any]] = mapped_column(JSONB)
    failure_code: Mapped[str | None]
    failure_detail: Mapped[str | None]
    dialect: Mapped[dict[str, Any]] = mapped_column(JSONB)
    report: Mapped[dict[str, Any]] = mapped_column(JSONB)
    rows_read: Mapped[int]
    rows_valid: Mapped[int]
    rows_invalid: Mapped[int]
    rows_applied: Mapped[int]
    rows_unchanged: Mapped[int]
    rows_held: Mapped[int]
    bytes_done: Mapped[Big]
    bytes_total: Mapped[Big]
    validated_version: Mapped[int | None]
    version: Mapped[int | None]
    held_import_id: Mapped[UUID | None]
    accepts_held: Mapped[bool]
    confirm_removals: Mapped[int | None]
    commit_wanted: Mapped[bool]
    committed_by: Mapped[UUID | None]
    due_at: Mapped[datetime | None]
    lease_until: Mapped[datetime | None]
    lease_token: Mapped[UUID | None]
    attempts: Mapped[int]
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class PriceImportChunk(Base):
    """A piece of the file, as it came in."""

    __tablename__ = "price_import_chunks"

    import_id: Mapped[UUID] = mapped_column(primary_key=True)
    supplier_id: Mapped[UUID]
    n: Mapped[int] = mapped_column(primary_key=True)
    bytes: Mapped[bytes]
    packed: Mapped[bool]


class PriceImportError(Base):
    """`n` numbers the findings of a row."""

    __tablename__ = "price_import_errors"

    import_id: Mapped[UUID] = mapped_column(primary_key=True)
    supplier_id: Mapped[UUID]
    row_no: Mapped[int] = mapped_column(primary_key=True)
    n: Mapped[int] = mapped_column(primary_key=True)
    column: Mapped[str | None]
    code: Mapped[str]
    severity: Mapped[str]
    value: Mapped[str | None]
    message: Mapped[str]
    hint: Mapped[str | None]


class PriceImportReject(Base):
    """A row that was not taken: `raw`, or its `cells` and, if it was staged, the `reason`."""

    __tablename__ = "price_import_rejects"

    import_id: Mapped[UUID] = mapped_column(primary_key=True)
    supplier_id: Mapped[UUID]
    row_no: Mapped[int] = mapped_column(primary_key=True)
    cells: Mapped[dict[str, Any]] = mapped_column(JSONB)


class PriceImportFingerprints(Base):
    """A part of what is known of the current lines' rows, when read in the way `reading` names."""

    __tablename__ = "price_import_fingerprints"

    import_id: Mapped[UUID] = mapped_column(primary_key=True)
    supplier_id: Mapped[UUID]
    reading: Mapped[str]
    n: Mapped[int] = mapped_column(primary_key=True)
    fingerprints: Mapped[bytes]


class ColumnMapping(Base):
    """What a supplier said that the columns of a header are."""

    __tablename__ = "column_mappings"

    supplier_id: Mapped[UUID] = mapped_column(primary_key=True)
    header_hash: Mapped[bytes] = mapped_column(primary_key=True)
    columns: Mapped[dict[str, str]] = mapped_column(JSONB)
    used_at: Mapped[datetime]
