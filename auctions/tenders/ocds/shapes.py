"""The parts of the OCDS 1.1.5 release schema that we write, with its lots and bids extensions.

Amounts and quantities are exact decimals, written as JSON numbers as the standard wants them.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import msgspec

VERSION = "1.1"
EXTENSIONS = [
    "https://raw.githubusercontent.com/open-contracting-extensions/ocds_bid_extension/v1.1.5/extension.json",
    "https://raw.githubusercontent.com/open-contracting-extensions/ocds_lots_extension/v1.1.5/extension.json",
]


class Shape(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Base: names in camel case, what is empty is left out."""


class Value(Shape, frozen=True, kw_only=True):
    amount: Decimal
    currency: str


class Period(Shape, frozen=True, kw_only=True):
    start_date: datetime | None = None
    end_date: datetime | None = None


class Reference(Shape, frozen=True, kw_only=True):
    id: str
    name: str


class Organisation(Shape, frozen=True, kw_only=True):
    id: str
    name: str
    roles: list[str]


class Classification(Shape, frozen=True, kw_only=True):
    scheme: str
    id: str
    description: str | None = None


class Unit(Shape, frozen=True, kw_only=True):
    scheme: str
    id: str


class Item(Shape, frozen=True, kw_only=True):
    id: str
    description: str
    quantity: Decimal
    unit: Unit
    classification: Classification | None = None
    related_lot: str | None = None


class Lot(Shape, frozen=True, kw_only=True):
    """`auctionPeriod` is ours: when the lot's live bidding ran."""

    id: str
    title: str
    status: str
    description: str | None = None
    value: Value | None = None
    auction_period: Period | None = None


class Document(Shape, frozen=True, kw_only=True):
    id: str
    title: str
    url: str
    date_published: datetime
    format: str
    document_type: str = "tenderNotice"


class Amendment(Shape, frozen=True, kw_only=True):
    id: str
    date: datetime
    description: str


class Tender(Shape, frozen=True, kw_only=True):
    id: str
    title: str
    status: str
    procuring_entity: Reference
    items: list[Item]
    lots: list[Lot]
    procurement_method: str
    submission_method: list[str]
    award_criteria: str
    description: str | None = None
    value: Value | None = None
    tender_period: Period | None = None
    has_enquiries: bool | None = None
    number_of_tenderers: int | None = None
    tenderers: list[Reference] = []
    documents: list[Document] = []
    amendments: list[Amendment] = []


class Statistic(Shape, frozen=True, kw_only=True):
    id: str
    measure: str
    value: Decimal
    currency: str | None = None
    related_lot: str | None = None


class Bid(Shape, frozen=True, kw_only=True):
    id: str
    date: datetime
    status: str
    tenderers: list[Reference]
    value: Value | None = None
    related_lots: list[str] = []


class Bids(Shape, frozen=True, kw_only=True):
    statistics: list[Statistic] = []
    details: list[Bid] = []


class Award(Shape, frozen=True, kw_only=True):
    id: str
    title: str
    status: str
    date: datetime
    value: Value
    suppliers: list[Reference]
    related_lots: list[str]
    items: list[Item] = []
    related_bid: str | None = None


class Release(Shape, frozen=True, kw_only=True):
    ocid: str
    id: str
    date: datetime
    tag: list[str]
    initiation_type: str
    parties: list[Organisation]
    buyer: Reference
    tender: Tender
    bids: Bids | None = None
    awards: list[Award] = []
    language: str | None = None


class Publisher(Shape, frozen=True, kw_only=True):
    name: str
    uri: str


class Package(Shape, frozen=True, kw_only=True):
    uri: str
    version: str
    extensions: list[str]
    published_date: datetime
    publisher: Publisher
    releases: list[Release]


_encoder = msgspec.json.Encoder(decimal_format="number")


def encode(package: Package) -> bytes:
    return _encoder.encode(package)
