"""A payout run as files: pain.001 for the bank, CSV and JSON Lines for the accounts department.

A file is made once and stored, so every later call gets the same bytes; the payouts that had failed
or were cancelled until then are not in it. Each format carries its control totals.
"""

from __future__ import annotations

import asyncio
import csv
import hashlib
import io
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import resources
from typing import Any, Literal
from uuid import UUID

import msgspec
from lxml import etree
from sepaxml import SepaTransfer
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts import queries as accounts
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import Conflict, NotFound
from marketplace.kernel.money import exponent_of, format_minor
from marketplace.kernel.scope import as_house
from marketplace.kernel.spreadsheets import harmless
from marketplace.ledger.payouts import queries
from marketplace.ledger.payouts.models import BankAccount, Payout, PayoutExport, PayoutRun

Format = Literal["pain001", "csv", "jsonl"]
MEDIA_TYPES = {
    "pain001": "application/xml",
    "csv": "text/csv; charset=utf-8",
    "jsonl": "application/x-ndjson",
}
SUFFIXES = {"pain001": "xml", "csv": "csv", "jsonl": "jsonl"}
SCHEMA = "pain.001.001.09"
NAMESPACE = f"urn:iso:std:iso:20022:tech:xsd:{SCHEMA}"
SEPA_CURRENCY = "EUR"
NAMED_MAX = 5
"""Partners that a refusal names."""
COLUMNS = (
    "number",
    "payout_id",
    "partner_id",
    "partner",
    "holder",
    "iban",
    "bic",
    "currency",
    "amount",
    "items",
)


async def export(
    session: AsyncSession, actor: Actor, run_id: UUID, form: Format, now: datetime
) -> PayoutExport:
    """The stored file, made by the first call after the approval. Raises NotFound, Conflict
    (`not_approved`, `nothing_to_pay`, `bank_account_missing`, `not_sepa`).
    """
    async with as_house(session):
        run = await queries.run(session, run_id, lock=True)
        if run is None:
            raise NotFound("payout run")
        stored = await queries.export(session, run_id, form)
        if stored is not None:
            return stored
        if run.state != "approved":
            raise Conflict("not_approved", "A run is exported when a second person approved it.")
        payouts = await queries.payouts(session, run_id, ["approved", "paid"])
        if not payouts:
            raise Conflict("nothing_to_pay", "No payout of this run is to be paid.")
        rows = await _rows(session, payouts)
        if form == "pain001":
            debtor = await queries.bank_account(session, actor.organisation_id)
            content = await asyncio.to_thread(pain001, run, rows, _debtor(debtor))
        else:
            content = {"csv": as_csv, "jsonl": as_jsonl}[form](rows)
        stored = PayoutExport(
            run_id=run_id,
            format=form,
            content=content,
            sha256=hashlib.sha256(content).hexdigest(),
            made_at=now,
        )
        session.add(stored)
    return stored


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One payout in a file."""

    number: int
    payout_id: UUID
    partner_id: UUID
    partner: str
    holder: str | None
    iban: str | None
    bic: str | None
    currency: str
    minor: int
    items: int

    @property
    def amount(self) -> str:
        return format_minor(self.minor, exponent_of(self.currency))


async def _rows(session: AsyncSession, payouts: Sequence[Payout]) -> list[Row]:
    ids = {payout.beneficiary_id for payout in payouts}
    names = await accounts.public_organisations(session, ids)
    return [
        Row(
            number=payout.number,
            payout_id=payout.id,
            partner_id=payout.beneficiary_id,
            partner=names[payout.beneficiary_id].name,
            holder=payout.holder,
            iban=payout.iban,
            bic=payout.bic,
            currency=payout.currency,
            minor=payout.amount_minor,
            items=payout.items,
        )
        for payout in payouts
    ]


def control_totals(rows: Sequence[Row]) -> dict[str, tuple[int, str]]:
    """(count, sum) by currency."""
    sums: dict[str, list[int]] = {}
    for row in rows:
        sums.setdefault(row.currency, []).append(row.minor)
    return {
        currency: (len(minors), format_minor(sum(minors), exponent_of(currency)))
        for currency, minors in sorted(sums.items())
    }


def as_csv(rows: Sequence[Row]) -> bytes:
    """A row a payout, then one `total` a currency with the count as its number."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in rows:
        cells = [getattr(row, column) for column in COLUMNS]
        writer.writerow([harmless("" if cell is None else str(cell)) for cell in cells])
    for currency, (count, total) in control_totals(rows).items():
        writer.writerow([count, "total", *[""] * 5, currency, total, ""])
    return text.getvalue().encode()


def as_jsonl(rows: Sequence[Row]) -> bytes:
    """A line a payout, then one with the control totals."""
    lines: list[dict[str, Any]] = [
        {"type": "payout"} | {column: getattr(row, column) for column in COLUMNS} for row in rows
    ]
    totals = [
        {"currency": currency, "count": count, "sum": total}
        for currency, (count, total) in control_totals(rows).items()
    ]
    lines.append({"type": "control", "count": len(rows), "totals": totals})
    return b"\n".join([*(msgspec.json.encode(line) for line in lines), b""])


def _debtor(account: BankAccount | None) -> BankAccount:
    if account is None:
        detail = "Name the operator's own bank account first: PUT /api/v1/bank_account."
        raise Conflict("bank_account_missing", detail)
    return account


def pain001(run: PayoutRun, rows: Sequence[Row], debtor: BankAccount) -> bytes:
    """A SEPA credit transfer in euro, valid under the schema. Its ids and times are the run's own,
    so the same run always gives the same file. Raises Conflict.
    """
    others = sorted({row.currency for row in rows} - {SEPA_CURRENCY})
    if others:
        detail = f"SEPA pays in euro; this run holds {', '.join(others)}: export it as CSV."
        raise Conflict("not_sepa", detail)
    homeless = [row.partner for row in rows if row.iban is None]
    if homeless:
        named = ", ".join(homeless[:NAMED_MAX])
        detail = f"{len(homeless)} partners have named no bank account: {named}."
        raise Conflict("bank_account_missing", detail)
    assert run.checked_at is not None, "an approved run was checked"
    config = {"name": debtor.holder, "IBAN": debtor.iban, "batch": True, "currency": "EUR"}
    if debtor.bic:
        config["BIC"] = debtor.bic
    transfer = SepaTransfer(config, schema=SCHEMA, clean=True)
    for row in rows:
        payment = {
            "name": row.holder,
            "IBAN": row.iban,
            "amount": row.minor,
            "execution_date": run.checked_at.astimezone(UTC).date(),
            "description": f"Payout {run.number}-{row.number}",
            "endtoend_id": row.payout_id.hex,
        }
        transfer.add_payment(payment | ({"BIC": row.bic} if row.bic else {}))
    return _with_own_ids(transfer.export(validate=False), run)


def _with_own_ids(content: bytes, run: PayoutRun) -> bytes:
    """The library makes up ids and takes the time of the machine."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    document = etree.fromstring(content, parser)
    assert run.checked_at is not None
    created = run.checked_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    message = f"PAYOUTS-{run.number}-{run.id.hex[-12:]}"
    for path, text in (("GrpHdr/p:MsgId", message), ("GrpHdr/p:CreDtTm", created)):
        for node in document.iterfind(f".//p:{path}", {"p": NAMESPACE}):
            node.text = text
    for number, node in enumerate(document.iterfind(".//p:PmtInfId", {"p": NAMESPACE}), start=1):
        node.text = f"{message}-{number}"
    schema().assertValid(document)
    written: bytes = etree.tostring(document, xml_declaration=True, encoding="UTF-8")
    return written


def schema() -> etree.XMLSchema:
    source = resources.files("sepaxml") / "schemas" / f"{SCHEMA}.xsd"
    return etree.XMLSchema(etree.fromstring(source.read_bytes()))
