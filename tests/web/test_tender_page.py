"""The page of a tender shows all that a bidder accepts; what came meanwhile is read first."""

from __future__ import annotations

import re
from html import unescape

from tests.answers import ok
from tests.auctions.tenders.tendering import act, published
from tests.auctions.tenders.test_dossier import PDF, upload
from tests.people import NewPerson, Person, unique

FORM = {"Accept": "text/html"}


async def shown(person: Person, path: str) -> str:
    """What a person reads there: without tags, in one line."""
    answer = await person.client.get(path, headers=FORM)
    assert answer.status_code == 200, answer.text
    return words(answer.text)


def words(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


async def test_everything_that_is_accepted_stands_on_the_page(
    new_buyer: NewPerson, new_supplier: NewPerson
) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    delivery = {"place": "Warsaw, gate 4", "incoterm": "DAP", "payment": "30 days net"}
    done = await published(
        buyer, supplier, description="Pumps for plant 2, in two parts.", delivery=delivery
    )
    path = f"/tenders/{done['id']}"
    ok(await upload(buyer, done["id"], PDF, name="drawing.pdf"), 201)
    ok(await upload(buyer, done["id"], PDF, name="drawing.pdf"), 201)
    ok(
        await act(
            buyer,
            done["id"],
            "addenda",
            text="The gate moved.",
            delivery=delivery | {"place": "Warsaw, gate 7"},
        ),
        201,
    )
    page = await shown(supplier, path)
    for text in (
        "Pumps for plant 2, in two parts.",
        "DAP",
        "30 days net",
        "drawing.pdf",
        "version 2",
        "replaced by a newer one",
        "Addendum 3",
        "The gate moved.",
        "Place before: Warsaw, gate 4 now: Warsaw, gate 7",
        "They include 2 documents and 3 addenda",
    ):
        assert text in page, text
    # Only what differs is a change.
    assert "Incoterm before:" not in page


async def test_a_question_and_its_answer_are_asked_and_read_on_the_page(
    new_buyer: NewPerson, new_supplier: NewPerson
) -> None:
    buyer, supplier, other = await new_buyer(), await new_supplier(), await new_supplier()
    done = await published(buyer, supplier, other)
    path, question = f"/tenders/{done['id']}", unique("Which seal?")
    asked = await supplier.client.post(f"{path}/questions", data={"question": question})
    assert (asked.status_code, asked.headers["location"]) == (303, f"{path}#questions")
    empty = await supplier.client.post(f"{path}/questions", data={"question": " "})
    assert empty.status_code == 422
    mine = await shown(buyer, path)
    assert question in mine
    assert supplier.name in mine
    assert question not in await shown(other, path)
    [found] = ok(await buyer.client.get(f"/api/v1{path}/questions"))["items"]
    answered = await buyer.client.post(
        f"{path}/questions/{found['id']}/answer", data={"question": question, "answer": "NBR"}
    )
    assert answered.status_code == 303
    theirs = await shown(other, path)
    assert f"{question} NBR" in theirs
    assert supplier.name not in theirs


async def test_terms_that_changed_while_they_were_read_are_not_accepted(
    new_buyer: NewPerson, new_supplier: NewPerson
) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    done = await published(buyer, supplier)
    path = f"/tenders/{done['id']}"
    read = await supplier.client.get(path, headers=FORM)
    form = {
        "accept_terms": "true",
        **dict(re.findall(r'name="(addenda)" value="(\d+)"', read.text)),
    }
    assert form["addenda"] == "0"
    ok(await act(buyer, done["id"], "addenda", text="Payment after 90 days."), 201)
    refused = await supplier.client.post(f"{path}/participation", data=form, headers=FORM)
    assert refused.status_code == 409
    assert "The terms changed while you read them" in words(refused.text)
    assert "Payment after 90 days." in words(refused.text)
    assert ok(await supplier.client.get(f"/api/v1{path}"))["accepted_at"] is None
    again = form | {"addenda": "1"}
    taken = await supplier.client.post(f"{path}/participation", data=again, headers=FORM)
    assert taken.status_code == 303
    assert ok(await supplier.client.get(f"/api/v1{path}"))["accepted_at"] is not None
