"""The child process that turns acts into files: `python -m marketplace.ledger.acts.render`.

Typesetting holds the interpreter for tens of milliseconds, so it never runs in a node or in the
worker's own event loop. Requests and answers are frames on standard input and output: four bytes
of length, then msgpack. When the parent dies its pipe ends, and so does this process.
"""

from __future__ import annotations

import json
import struct
import sys
from datetime import datetime
from decimal import Decimal
from importlib import resources
from typing import Any, BinaryIO

import msgspec
import typst
from drafthorse.models.accounting import ApplicableTradeTax
from drafthorse.models.document import Document
from drafthorse.models.party import TaxRegistration
from drafthorse.models.payment import PaymentTerms
from drafthorse.models.tradelines import LineItem

from marketplace.kernel.money import exponent_of, format_minor
from marketplace.ledger.acts.words import WORDS, title

FRAME = struct.Struct(">I")
FRAME_BYTES_MAX = 64 * 1024 * 1024
"""An act of 100,000 lines; larger is a fault of ours."""
GUIDELINE = "urn:cen.eu:en16931:2017"
SCHEMA = "FACTUR-X_EN16931"
NOT_TAXED = "O"
"""Category of VAT (UNTDID 5305): outside the scope of VAT; the parties' tax is their own affair."""
ONE = "C62"


class LineData(msgspec.Struct, frozen=True, kw_only=True):
    position: int
    source: str
    rule: str
    minor: int


class ActData(msgspec.Struct, frozen=True, kw_only=True):
    """Everything an act shows; frozen when it was issued."""

    number: str
    kind: int
    self_billing: bool
    language: str
    accept_days: int
    currency: str
    total_minor: int
    period: str
    issued_at: datetime
    seller: dict[str, str]
    buyer: dict[str, str]
    lines: list[LineData]


class Files(msgspec.Struct, frozen=True, kw_only=True):
    """`xml` only where it is an invoice; it is inside the PDF too."""

    pdf: bytes
    xml: bytes | None


def render(act: ActData) -> Files:
    """PDF/A-3 and its EN 16931 XML; the same data gives the same bytes in every process."""
    xml = en16931(act) if act.self_billing else None
    inputs = {"data": json.dumps(_shown(act), ensure_ascii=False)}
    if xml is not None:
        inputs["xml"] = xml.decode()
    pdf = typst.compile(
        (resources.files(__package__) / "act.typ").read_bytes(),
        format="pdf",
        sys_inputs=inputs,
        pdf_standards=["a-3b"],
        ignore_system_fonts=True,
        timestamp=int(act.issued_at.timestamp()),
    )
    return Files(pdf=pdf, xml=xml)


def _shown(act: ActData) -> dict[str, Any]:
    exponent = exponent_of(act.currency)
    words = WORDS[act.language]
    return {
        "title": title(act.language, act.kind, self_billing=act.self_billing),
        "number": act.number,
        "date": act.issued_at.date().isoformat(),
        "period": act.period,
        "language": act.language,
        "currency": act.currency,
        "seller": act.seller,
        "buyer": act.buyer,
        "words": words,
        "note": words["accepting"].format(days=act.accept_days),
        "total": format_minor(act.total_minor, exponent),
        "lines": [
            {
                "position": line.position,
                "source": line.source,
                "rule": line.rule,
                "amount": format_minor(line.minor, exponent),
            }
            for line in act.lines
        ],
    }


def en16931(act: ActData) -> bytes:
    """Cross Industry Invoice, validated by the schema of EN 16931."""
    document = Document()
    document.context.guideline_parameter.id = GUIDELINE
    document.header.id = act.number
    document.header.type_code = str(act.kind)
    document.header.issue_date_time = act.issued_at.date()
    for side, party in (("seller", act.seller), ("buyer", act.buyer)):
        shown = getattr(document.trade.agreement, side)
        shown.name = party["name"]
        shown.address.country_id = party["country"]
        # Outside the scope of VAT no VAT number may stand (BR-O-02), but a tax number may.
        shown.tax_registrations.add(TaxRegistration(id=("FC", party["tax_id"])))
    for line in act.lines:
        document.trade.items.add(_item(line, act.currency))
    _settle(document, act)
    written: bytes = document.serialize(schema=SCHEMA)
    return written


def _item(line: LineData, currency: str) -> LineItem:
    """A price is never negative (BR-27): what is taken back is a negative quantity."""
    amount = _decimal(line.minor, currency)
    item = LineItem()
    item.document.line_id = str(line.position)
    item.product.name = line.rule[:200]
    item.product.description = line.source
    item.agreement.net.amount = abs(amount)
    item.delivery.billed_quantity = (Decimal(-1 if line.minor < 0 else 1), ONE)
    item.settlement.trade_tax.type_code = "VAT"
    item.settlement.trade_tax.category_code = NOT_TAXED
    item.settlement.monetary_summation.total_amount = amount
    return item


def _settle(document: Document, act: ActData) -> None:
    total, nothing = _decimal(act.total_minor, act.currency), Decimal("0.00")
    settlement = document.trade.settlement
    settlement.currency_code = act.currency
    tax = ApplicableTradeTax()
    tax.calculated_amount = nothing
    tax.basis_amount = total
    tax.type_code = "VAT"
    tax.category_code = NOT_TAXED
    tax.exemption_reason = "Not subject to VAT"
    settlement.trade_tax.add(tax)
    terms = PaymentTerms()
    terms.description = "Paid with the next payout run"
    settlement.terms.add(terms)
    summation = settlement.monetary_summation
    summation.line_total = total
    summation.charge_total = nothing
    summation.allowance_total = nothing
    summation.tax_basis_total = total
    summation.tax_total = (nothing, act.currency)
    summation.grand_total = total
    summation.due_amount = total


def _decimal(minor: int, currency: str) -> Decimal:
    return Decimal(minor).scaleb(-exponent_of(currency))


def main(source: BinaryIO, sink: BinaryIO) -> None:
    """One answer a request, in order, until the source ends."""
    while head := source.read(FRAME.size):
        act = msgspec.msgpack.decode(source.read(*FRAME.unpack(head)), type=ActData)
        answer = msgspec.msgpack.encode(render(act))
        sink.write(FRAME.pack(len(answer)) + answer)
        sink.flush()


if __name__ == "__main__":
    main(sys.stdin.buffer, sys.stdout.buffer)
