"""A start moves from the page: typed, read in words, published, seen in the dossier."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from tests.answers import ok
from tests.auctions.tenders.tendering import (
    act,
    english,
    in_seconds,
    lot,
    published,
)
from tests.people import NewPerson, Person
from tests.web.test_tender_page import FORM, shown, words


def minutes(moment: str) -> datetime:
    return datetime.fromisoformat(moment).replace(second=0, microsecond=0)


def typed(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M")


async def opened(buyer: Person, path: str) -> dict[str, str]:
    """The fields of the form as it opens."""
    page = await buyer.client.get(path, headers=FORM)
    assert page.status_code == 200, page.text
    fields = dict(re.findall(r'name="([\w-]+)"[^>]*?value="([^"]*)"', page.text))
    assert "start-0" in fields
    return fields | {"text": "The gate is closed before."}


async def test_a_moved_start_is_told_in_words_before_it_happens(
    new_buyer: NewPerson, new_supplier: NewPerson
) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    done = await published(buyer, supplier, lots=[lot("Pumps"), lot("Seals")])
    path = f"/tenders/{done['id']}"
    assert "Move a date" in await shown(buyer, path)
    assert "Move a date" not in await shown(supplier, path)
    before = done["lots"][0]["starts_at"]
    fields = await opened(buyer, f"{path}/addendum")
    assert fields["start-0"] == typed(minutes(before))
    fields["start-0"] = typed(minutes(before) + timedelta(hours=26))
    looked = await buyer.client.post(f"{path}/addendum", data=fields | {"then": "look"})
    assert looked.status_code == 200
    said = words(looked.text)
    for text in (
        "The auction of Pumps starts later",
        "1 d 2 h later",
        "1 supplier is told by mail",
        "Nobody takes part yet",
        "It cannot be taken back",
        "The gate is closed before.",
    ):
        assert text in said, text
    assert "Seals" not in said
    # Nothing happened yet.
    assert ok(await buyer.client.get(f"/api/v1{path}"))["lots"][0]["starts_at"] == before
    hidden = dict(re.findall(r'type="hidden" name="([\w-]+)" value="([^"]*)"', looked.text))
    made = await buyer.client.post(f"{path}/addendum", data=hidden | {"then": "publish"})
    assert (made.status_code, made.headers["location"]) == (303, f"{path}#addenda")
    after = ok(await buyer.client.get(f"/api/v1{path}"))["lots"]
    assert minutes(after[0]["starts_at"]) == minutes(before) + timedelta(hours=26)
    assert after[1]["starts_at"] == done["lots"][1]["starts_at"]
    page = await shown(supplier, path)
    assert "Addendum 1" in page
    assert "Start of the auction: Pumps before:" in page


async def test_a_time_in_the_browsers_zone_and_one_that_moves_earlier(
    new_buyer: NewPerson, new_supplier: NewPerson
) -> None:
    buyer = await new_buyer()
    done = await published(buyer, await new_supplier())
    path = f"/tenders/{done['id']}/addendum"
    before = minutes(done["lots"][0]["starts_at"])
    fields = await opened(buyer, path)
    # Two hours east of Greenwich: the same wall clock is two hours earlier.
    east = fields | {"start-0": typed(before + timedelta(hours=3)), "start-0_offset_min": "-120"}
    looked = words((await buyer.client.post(path, data=east | {"then": "look"})).text)
    assert "1 h later" in looked
    earlier = fields | {"start-0": typed(before - timedelta(minutes=30)), "text": "Soon <i>"}
    refused = await buyer.client.post(path, data=earlier | {"then": "look"}, headers=FORM)
    assert refused.status_code == 422
    assert "can only move later" in words(refused.text)
    assert "Soon &lt;i&gt;" in refused.text
    empty = await buyer.client.post(path, data=fields | {"text": ""}, headers=FORM)
    assert empty.status_code == 422
    assert "1 field needs another look" in words(empty.text)


async def test_what_was_changed_meanwhile_is_read_before_it_is_changed_again(
    new_buyer: NewPerson, new_supplier: NewPerson
) -> None:
    buyer = await new_buyer()
    done = await published(buyer, await new_supplier())
    path = f"/tenders/{done['id']}/addendum"
    fields = await opened(buyer, path)
    looked = await buyer.client.post(path, data=fields | {"then": "look"})
    hidden = dict(re.findall(r'type="hidden" name="([\w-]+)" value="([^"]*)"', looked.text))
    ok(await act(buyer, done["id"], "addenda", text="From a colleague"), 201)
    refused = await buyer.client.post(path, data=hidden | {"then": "publish"}, headers=FORM)
    assert refused.status_code == 409
    assert "changed meanwhile" in words(refused.text)
    assert fields["text"] in refused.text
    addenda = ok(await buyer.client.get(f"/api/v1/tenders/{done['id']}/addenda"))["items"]
    assert [each["text"] for each in addenda] == ["From a colleague"]


async def test_the_last_minute_of_sealed_offers_moves_too(
    new_buyer: NewPerson, new_supplier: NewPerson
) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    offers = {"due_at": in_seconds(3_600), "two_person": False}
    done = await published(buyer, supplier, offers=offers, lots=[lot(rules=english(9_000))])
    path = f"/tenders/{done['id']}"
    fields = await opened(buyer, f"{path}/addendum")
    later = minutes(done["offers"]["due_at"]) + timedelta(minutes=30)
    fields["offers_due_at"] = typed(later)
    looked = await buyer.client.post(f"{path}/addendum", data=fields | {"then": "look"})
    assert "Offers may come longer" in words(looked.text)
    made = await buyer.client.post(
        f"{path}/addendum", data=fields | {"then": "publish", "addenda": "0"}
    )
    assert made.status_code == 303
    assert minutes(ok(await buyer.client.get(f"/api/v1{path}"))["offers"]["due_at"]) == later


async def test_only_the_own_published_tender_takes_an_addendum(
    new_buyer: NewPerson, new_supplier: NewPerson
) -> None:
    buyer, other, supplier = await new_buyer(), await new_buyer(), await new_supplier()
    done = await published(buyer, supplier)
    path = f"/tenders/{done['id']}/addendum"
    assert (await other.client.get(path, headers=FORM)).status_code == 404
    assert (await supplier.client.get(path, headers=FORM)).status_code == 403
    assert (await other.client.post(path, data={"text": "Mine"}, headers=FORM)).status_code == 404
