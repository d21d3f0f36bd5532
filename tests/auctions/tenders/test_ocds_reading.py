"""Foreign OCDS documents: what is theirs, what fits, and what the draft says was left out."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from auctions.tenders.ocds.reading import Document, draft
from auctions.tenders.schemas.tender import NewTender
from marketplace.kernel.errors import Invalid


def release(ocid: str = "ocds-1", date: str = "2026-01-01T00:00:00Z", **tender: Any) -> dict:
    return {"ocid": ocid, "date": date, "tender": {"title": "Road", **tender}}


def read(*releases: dict[str, Any], currency: str | None = "EUR", **query: Any) -> NewTender:
    document = msgspec.json.decode(msgspec.json.encode({"releases": releases}), type=Document)
    return draft(document, currency, **query)


def read_text(text: str) -> NewTender:
    """For numbers that must reach the reader as they are written."""
    return draft(msgspec.json.decode(text, type=Document), "EUR")


def test_several_processes_are_refused_by_name() -> None:
    both = [release("ocds-1", title="First"), release("ocds-2", title="Second")]
    with pytest.raises(Invalid) as refusal:
        read(*both)
    [error] = refusal.value.errors
    assert error.code == "several_processes"
    assert "ocds-1 (First)" in error.message
    assert "ocds-2 (Second)" in error.message
    assert read(*both, ocid="ocds-1").title == "First"


def test_the_newest_release_counts_wherever_it_stands() -> None:
    old = release(date="2026-01-01T00:00:00Z", title="Old")
    new = release(date="2026-03-01T00:00:00+05:00", title="New")
    undated = release(date="", title="Undated")
    assert read(old, new, undated).title == "New"
    assert read(new, old).title == "New"
    assert read(undated, old).title == "Old"


@pytest.mark.parametrize(
    ("unit", "expected"),
    [
        ({"scheme": "UNCEFACT", "id": "MTR", "name": "Metres"}, ("MTR", "")),
        ({"scheme": "UN/CEFACT", "id": "MTR"}, ("MTR", "")),
        ({"id": "KGM"}, ("KGM", "")),
        (
            {"scheme": "PE-SEACE3-UnidadMedida", "id": "19", "name": "Kilometro"},
            ("C62", "Unit: Kilometro"),
        ),
        ({"scheme": "OTHER", "id": "KGM"}, ("C62", "Unit: KGM")),
        ({"scheme": "UNCEFACT", "id": "m³", "name": "cubic metre"}, ("m³", "")),
        ({"name": "boxes"}, ("C62", "Unit: boxes")),
    ],
)
def test_a_unit_is_read_by_its_list(unit: dict[str, str], expected: tuple[str, str]) -> None:
    [item] = read(release(items=[{"description": "Gravel", "unit": unit}])).lots[0].items
    assert (item.unit, item.description) == expected


@pytest.mark.parametrize(
    ("amount", "currency", "ceiling", "note"),
    [
        ("196000.006", "DOP", "196000.01", "Imported value 196000.006 DOP is rounded."),
        ("196000.005", "DOP", "196000.00", "Imported value 196000.005 DOP is rounded."),
        ("1500.5", "JPY", "1500", "Imported value 1500.5 JPY is rounded."),
        ("11000000", "GBP", "11000000.00", ""),
        ("0.004", "GBP", None, "Imported value 0.004 GBP is too small for a ceiling."),
        ("1e300", "GBP", None, "Imported value 1E+300 GBP is too large for a ceiling."),
        ("-5", "GBP", None, ""),
    ],
)
def test_values_are_rounded_to_the_currency_with_a_note(
    amount: str, currency: str, ceiling: str | None, note: str
) -> None:
    value = f'{{"amount": {amount}, "currency": "{currency}"}}'
    lot = read_text(f'{{"tender": {{"title": "Road", "value": {value}}}}}').lots[0]
    assert (lot.ceiling and lot.ceiling.amount) == ceiling
    assert lot.description == note


@pytest.mark.parametrize(
    ("given", "quantity", "note"),
    [
        ("1e6", "1000000", ""),
        ("12.84", "12.84", ""),
        ("0.12345678", "0.123457", "Imported quantity 0.12345678 is rounded."),
        ("1e12", "1", "Imported quantity 1E+12 is too large."),
        ("1e-9", "1", "Imported quantity 1E-9 is too small."),
        ("0", "1", ""),
    ],
)
def test_quantities_are_rounded_to_what_a_tender_takes(
    given: str, quantity: str, note: str
) -> None:
    items = f'[{{"description": "Gravel", "quantity": {given}}}]'
    [item] = read_text(f'{{"tender": {{"title": "Road", "items": {items}}}}}').lots[0].items
    assert (item.quantity, item.description) == (quantity, note)


def test_a_note_is_never_cut_off() -> None:
    value = {"amount": 1.005, "currency": "EUR"}
    lot = {"id": "1", "description": "x" * 20_000, "value": value}
    [made] = read(release(lots=[lot])).lots
    assert len(made.description) == 10_000
    assert made.description.endswith("is rounded.")


@pytest.mark.parametrize(
    "end", ["9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+14:00", "2027-05-01T10:00:00"]
)
def test_a_time_that_no_auction_can_start_at_is_left_to_the_buyer(end: str) -> None:
    [lot] = read(release(tenderPeriod={"endDate": end})).lots
    assert "starts_at" not in lot.rules
