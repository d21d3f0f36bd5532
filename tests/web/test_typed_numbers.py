"""Numbers that people type into forms: read, or asked back at their field; never guessed."""

from __future__ import annotations

import pytest

from marketplace.kernel.errors import Invalid
from tests.answers import ok
from tests.orders.ordering import URL, confirm, ordered
from tests.people import NewPerson
from web.pages.forms import Form
from web.pages.tender_form import read_tender

TENDER = {
    "title": "Pumps",
    "item": "Pump",
    "quantity": "400",
    "currency": "EUR",
    "ceiling": "500000,00",
    "starts_at": "2027-01-01T10:00",
    "duration_min": "20",
    "step": "50,5",
    "step_kind": "amount",
    "step_against": "own",
    "visibility": "rank",
    "overtime_window_s": "120",
    "overtime_extend_s": "120",
}


def form(**fields: str) -> Form:
    return Form({name: [text] for name, text in fields.items()})


def test_a_comma_divides_as_well_as_a_point() -> None:
    new = read_tender(form(**TENDER))
    [lot] = new.lots
    assert lot.ceiling is not None
    assert (lot.ceiling.amount, lot.items[0].quantity) == ("500000.00", "400")
    assert lot.rules["step"]["value"] == "50.5"


@pytest.mark.parametrize("name", ["quantity", "ceiling", "step"])
@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("1.000", "ambiguous_number"),
        ("1,250", "ambiguous_number"),
        ("1.234,50", "grouped_number"),
        ("12 400", "grouped_number"),
    ],
)
def test_a_number_with_two_readings_is_asked_back(name: str, text: str, code: str) -> None:
    with pytest.raises(Invalid) as asked:
        read_tender(form(**TENDER | {name: text}))
    assert [(error.field, error.code) for error in asked.value.errors] == [(name, code)]
    assert asked.value.errors[0].message.count(".") >= 2


async def test_a_delivery_is_never_a_thousandth(
    new_buyer: NewPerson, new_supplier: NewPerson
) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    made = await ordered(buyer, supplier)
    await confirm(supplier, made)
    token = supplier.client.cookies["csrf_token"]
    path = f"/orders/{made['id']}/deliver"
    typed = {"csrf_token": token, "quantity-0": "1.250", "quantity-1": ""}
    refused = await supplier.client.post(path, data=typed)
    assert refused.status_code == 422
    assert "1.2500" in refused.text
    sent = await supplier.client.post(path, data=typed | {"quantity-0": "9,875"})
    assert sent.status_code == 422
    sent = await supplier.client.post(path, data=typed | {"quantity-0": "9,8750"})
    assert sent.status_code == 303, sent.text
    seen = ok(await buyer.client.get(f"{URL}/{made['id']}"))
    assert seen["lines"][0]["delivered"] == "9.875"
    # What is left, 2.125, comes back out of the form as it went in.
    page = await supplier.client.get(f"/orders/{made['id']}")
    assert 'value="2.1250"' in page.text
    sent = await supplier.client.post(path, data=typed | {"quantity-0": "2.1250"})
    assert sent.status_code == 303
