"""OCDS 1.1 release packages, valid against the published schemas, and drafts made from them."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft4Validator, FormatChecker
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT4

from auctions.rules.core.commands import Withdraw
from auctions.tenders import jobs
from auctions.tenders.sending import Desk
from marketplace.kernel.clock import Clock
from marketplace.kernel.db import Database
from tests.answers import ok
from tests.auctions.tenders.tendering import (
    URL,
    act,
    draft,
    lot,
    published,
)
from tests.auctions.tenders.test_awards import answer, auctioned, offered, propose
from tests.auctions.tenders.test_dossier import PDF, upload
from tests.people import NewPerson, Person
from web.app import Application

RELEASES = "/api/v1/ocds/releases"
RELEASE_SCHEMA = "https://standard.open-contracting.org/schema/1__1__5/release-schema.json"


@pytest.fixture(scope="module")
def validator(repository: Path) -> Draft4Validator:
    """The package schema, with the lots and bids extensions merged into the release schema."""
    folder = repository.parent / "shared" / "vectors" / "ocds"
    if not folder.is_dir():
        pytest.skip("the published OCDS schemas are not beside this checkout")

    def load(name: str) -> Any:
        return json.loads((folder / f"{name}.json").read_text())

    release = load("release-schema")
    for extension in ("lots", "bids"):
        release = merged(release, load(f"{extension}-extension-release-schema"))
    resource = Resource.from_contents(release, default_specification=DRAFT4)
    registry: Registry[Any] = Registry().with_resource(RELEASE_SCHEMA, resource)
    return Draft4Validator(
        load("release-package-schema"), registry=registry, format_checker=FormatChecker()
    )


def merged(target: Any, patch: Any) -> Any:
    """JSON Merge Patch (RFC 7396)."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


async def release(validator: Draft4Validator, buyer: Person, tender_id: str) -> dict[str, Any]:
    answered = await buyer.client.get(f"{RELEASES}/{tender_id}")
    assert answered.status_code == 200, answered.text
    package = json.loads(answered.text, parse_float=Decimal)
    errors = [f"{list(error.path)}: {error.message}" for error in validator.iter_errors(package)]
    assert errors == []
    found: dict[str, Any] = package["releases"][0]
    return found


async def test_a_draft_is_planning_and_nobody_else_reads_it(
    validator: Draft4Validator, new_buyer: NewPerson, new_supplier: NewPerson
) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    made = await draft(buyer)
    found = await release(validator, buyer, made["id"])
    assert (found["tag"], found["tender"]["status"]) == (["planning"], "planning")
    assert found["tender"]["items"][0]["quantity"] == 400
    for nobody in (supplier, await new_buyer()):
        assert (await nobody.client.get(f"{RELEASES}/{made['id']}")).status_code == 404
    done = await published(buyer, supplier)
    assert (await supplier.client.get(f"{RELEASES}/{done['id']}")).status_code == 404


async def test_offers_and_awards_are_in_the_package(
    validator: Draft4Validator, new_buyer: NewPerson, new_supplier: NewPerson, database: Database
) -> None:
    buyer, cheap, dear = await new_buyer(), await new_supplier(), await new_supplier()
    items = [
        {
            "name": "Pump",
            "quantity": "2.5",
            "unit": "MTR",
            "classification": {"scheme": "CPV", "code": "42122000-0", "title": "Pumps"},
        }
    ]
    prices = {"250000.10": dear, "200000.00": cheap}
    done = await offered(database, buyer, prices, lots=[lot(items=items)])
    ok(await upload(buyer, done["id"], PDF, internal=True), 201)
    lot_id = done["lots"][0]["id"]
    award = ok(await propose(buyer, lot_id, (cheap, "100")), 201)["items"][0]
    ok(await answer(cheap, award, "accept"))
    found = await release(validator, buyer, done["id"])
    assert found["tag"] == ["tender", "award"]
    assert found["tender"]["status"] == "complete"
    assert "documents" not in found["tender"]
    assert found["tender"]["items"][0]["unit"] == {"scheme": "UNCEFACT", "id": "MTR"}
    assert [bid["value"]["amount"] for bid in found["bids"]["details"]] == [
        Decimal("200000.00"),
        Decimal("250000.10"),
    ]
    assert found["awards"][0]["status"] == "active"
    assert found["awards"][0]["relatedBid"] == found["bids"]["details"][0]["id"]
    roles = {party["name"]: party["roles"] for party in found["parties"]}
    assert roles == {
        buyer.name: ["buyer", "procuringEntity"],
        cheap.name: ["tenderer", "supplier"],
        dear.name: ["tenderer"],
    }
    measures = {row["measure"]: row["value"] for row in found["bids"]["statistics"]}
    assert (measures["bids"], measures["lowestValidBidValue"]) == (2, Decimal("200000.00"))


async def test_the_history_of_an_auction_is_told_when_it_is_over(
    validator: Draft4Validator,
    new_buyer: NewPerson,
    new_supplier: NewPerson,
    app: Application,
    database: Database,
) -> None:
    buyer, one, two = await new_buyer(), await new_supplier(), await new_supplier()
    books = app.litestar.state.living.books
    prices = {"400000.00": one, "390000.00": two}
    done, book, changes = await auctioned(database, books, buyer, prices)
    _, _, leader = book.fold.state.rows[0]
    bid_seq = book.fold.state.bidders[leader].current.seq
    withdrawal = Withdraw(bid_seq=bid_seq, bidder=leader, reason="Typing mistake")
    assert (await books.submit(book.auction_id, withdrawal)).outcome.accepted
    running = await release(validator, buyer, done["id"])
    assert all(bid["id"].startswith("offer-") for bid in running["bids"]["details"])
    await changes.until(lambda: book.fold.state.status == "closed")
    book.listeners.remove(changes.heard)
    await jobs.note_ended_auctions(Desk(database, books, Clock()))
    found = await release(validator, buyer, done["id"])
    rows = [
        (bid["tenderers"][0]["name"], str(bid["value"]["amount"]), bid["status"])
        for bid in found["bids"]["details"]
        if not bid["id"].startswith("offer-")
    ]
    assert sorted(rows) == sorted(
        [(one.name, "400000.00", "valid"), (two.name, "390000.00", "withdrawn")]
    )
    assert set(found["tender"]["lots"][0]["auctionPeriod"]) == {"startDate", "endDate"}


async def test_a_cancelled_tender_says_so(
    validator: Draft4Validator, new_buyer: NewPerson, new_supplier: NewPerson
) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    done = await published(buyer, supplier)
    ok(await act(buyer, done["id"], "addenda", text="Read the drawing"), 201)
    ok(await act(buyer, done["id"], "cancel", reason="No budget"))
    found = await release(validator, buyer, done["id"])
    assert (found["tag"], found["tender"]["status"]) == (["tenderCancellation"], "cancelled")
    assert found["tender"]["amendments"][0]["description"] == "Read the drawing"


async def test_an_exported_tender_comes_back_as_the_same_draft(
    new_buyer: NewPerson,
) -> None:
    buyer = await new_buyer()
    made = await draft(buyer, open=True, lots=[lot(), lot("Spares", ceiling=None)])
    package = (await buyer.client.get(f"{RELEASES}/{made['id']}")).json()
    again = ok(await buyer.client.post("/api/v1/ocds/tenders", json=package), 201)
    assert again["id"] != made["id"]
    for name in ("title", "currency", "access"):
        assert again[name] == made[name]
    for old, new in zip(made["lots"], again["lots"], strict=True):
        assert (new["title"], new["items"], new["ceiling"]) == (
            old["title"],
            old["items"],
            old["ceiling"],
        )
    assert ok(await buyer.client.get(f"{URL}/{again['id']}"))["state"] == "draft"


async def test_what_a_foreign_document_does_not_tell_is_left_to_the_buyer(
    new_buyer: NewPerson, new_supplier: NewPerson
) -> None:
    buyer = await new_buyer()
    foreign = {
        "ocid": "ocds-1",
        "somethingElse": [1],
        "tender": {
            "id": 7,
            "title": "Streets",
            "procurementMethod": "limited",
            "items": [
                {"id": "1", "description": "Gravel", "unit": {"name": "cubic metre", "id": "m³"}},
                {"id": "2", "quantity": 1.50, "classification": {"scheme": "CPV", "id": 45}},
            ],
        },
    }
    path = "/api/v1/ocds/tenders"
    refused = await buyer.client.post(path, json=foreign)
    assert refused.status_code == 422, refused.text
    assert refused.json()["errors"][0]["field"] == "currency"
    made = ok(await buyer.client.post(path, params={"currency": "EUR"}, json=foreign), 201)
    assert (made["title"], made["access"], len(made["lots"])) == ("Streets", "invited", 1)
    rows = [
        (i["name"], i["quantity"], i["unit"], i["description"]) for i in made["lots"][0]["items"]
    ]
    assert rows == [
        ("Gravel", "1", "MTQ", ""),
        ("Item", "1.5", "C62", ""),
    ]
    empty = await buyer.client.post(path, json={"releases": []})
    assert empty.status_code == 422
    supplier = await new_supplier()
    assert (await supplier.client.post(path, json=foreign)).status_code == 403
