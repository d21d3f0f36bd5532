"""An invited supplier answers on the page of the tender, and the buyer reads the answer."""

from __future__ import annotations

from tests.answers import ok
from tests.auctions.tenders.tendering import published
from tests.people import NewPerson
from tests.web.test_tender_page import FORM, shown, words


async def test_a_supplier_declines_with_a_reason_that_the_buyer_reads(
    new_buyer: NewPerson, new_supplier: NewPerson
) -> None:
    buyer, supplier, other = await new_buyer(), await new_supplier(), await new_supplier()
    path = f"/tenders/{(await published(buyer, supplier, other))['id']}"
    assert "Decline the invitation" in await shown(supplier, path)
    declined = await supplier.client.post(f"{path}/decline", data={"reason": "No crane <b>here"})
    assert declined.status_code == 303, declined.text
    mine = await shown(supplier, path)
    assert "You declined this invitation" in mine
    assert "No crane <b>here" in mine
    assert "Change the reason" in mine
    assert "No crane <b>here" in await shown(buyer, path)
    assert "No crane" not in await shown(other, path)
    view = ok(await supplier.client.get(f"/api/v1{path}"))
    assert view["declined_at"]
    assert view["decline_reason"] == "No crane <b>here"
    for page in ("/tenders", "/auctions"):
        html = (await supplier.client.get(page, headers=FORM)).text
        # Tenders of other tests that are open to everybody stand here too.
        [row] = [each for each in html.split("<li") if path in each]
        assert "You declined" in words(row)
        assert "Accept the terms" not in words(row)


async def test_a_reason_is_needed_and_nothing_typed_is_lost(
    new_buyer: NewPerson, new_supplier: NewPerson
) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    path = f"/tenders/{(await published(buyer, supplier))['id']}"
    for reason, said in (("  ", "may not be empty"), ("x" * 501, "At most 500 characters")):
        refused = await supplier.client.post(
            f"{path}/decline", data={"reason": reason}, headers=FORM
        )
        assert refused.status_code == 422
        assert said in words(refused.text)
        assert reason.strip() in refused.text
    assert ok(await supplier.client.get(f"/api/v1{path}"))["declined_at"] is None


async def test_who_declined_can_still_take_part_and_who_takes_part_cannot_decline(
    new_buyer: NewPerson, new_supplier: NewPerson
) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    path = f"/tenders/{(await published(buyer, supplier))['id']}"
    assert (
        await supplier.client.post(f"{path}/decline", data={"reason": "Busy"})
    ).status_code == 303
    joined = await supplier.client.post(
        f"{path}/participation", data={"accept_terms": "true", "addenda": "0"}
    )
    assert joined.status_code == 303
    page = await shown(supplier, path)
    assert "You declined" not in page
    assert "Decline the invitation" not in page
    refused = await supplier.client.post(f"{path}/decline", data={"reason": "Busy"}, headers=FORM)
    assert refused.status_code == 409
    assert "You take part already" in words(refused.text)


async def test_a_buyer_declines_nothing(new_buyer: NewPerson, new_supplier: NewPerson) -> None:
    buyer = await new_buyer()
    path = f"/tenders/{(await published(buyer, await new_supplier()))['id']}"
    assert "Decline the invitation" not in await shown(buyer, path)
    refused = await buyer.client.post(f"{path}/decline", data={"reason": "Busy"}, headers=FORM)
    assert refused.status_code == 403
