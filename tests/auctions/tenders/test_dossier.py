"""Approval, documents, questions and addenda."""

from __future__ import annotations

import hashlib
from typing import Any

from sqlalchemy import text

from marketplace.documents.rules import CHUNK_BYTES
from marketplace.kernel.db import SYSTEM, Database
from tests.answers import ok, refused
from tests.auctions.tenders.tendering import (
    URL,
    act,
    draft,
    in_seconds,
    invite,
    lot,
    published,
)
from tests.people import Connect, NewPerson, Person, peer

PDF = b"%PDF-1.7\n" + b"drawing " * 100
POLICY = "/api/v1/tender_policy"


async def upload(person: Person, tender_id: str, content: bytes, **more: Any) -> Any:
    params = {"name": "drawing.pdf"} | more
    media_type = params.pop("media_type", "application/pdf")
    return await person.client.post(
        f"{URL}/{tender_id}/documents",
        params=params,
        content=content,
        headers={"Content-Type": media_type},
    )


async def test_above_the_limit_somebody_else_releases(
    new_buyer: NewPerson, new_supplier: NewPerson, connect_client: Connect
) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    approver = await peer(connect_client, buyer, "approver")
    limit = {"approval_limit": {"amount": "400000.00", "currency": "EUR"}}
    assert ok(await buyer.client.get(POLICY)) == {"approval_limit": None}
    assert (await approver.client.put(POLICY, json=limit)).status_code == 403
    assert ok(await buyer.client.put(POLICY, json=limit)) == limit
    assert ok(await approver.client.get(POLICY)) == limit
    waiting = await published(buyer, supplier)
    assert waiting["state"] == "awaiting_approval"
    assert waiting["lots"][0]["auction_id"] is None
    assert (await supplier.client.get(f"{URL}/{waiting['id']}")).status_code == 404
    refused(await act(buyer, waiting["id"], "approve"), 403, "own_work")
    refused(await invite(buyer, waiting["id"], await new_supplier()), 409, "wrong_state")
    assert (await act(approver, waiting["id"], "send_back")).status_code == 422
    back = ok(await act(approver, waiting["id"], "send_back", reason="Which pumps?"))
    assert back["state"] == "draft"
    ok(await act(buyer, waiting["id"], "publish"))
    seen = ok(await approver.client.get(f"{URL}/{waiting['id']}"))
    assert seen["events"] == ["approve", "send_back"]
    done = ok(await act(approver, waiting["id"], "approve"))
    assert done["state"] == "published"
    assert done["lots"][0]["auction_id"] is not None
    below = await published(
        buyer, supplier, lots=[lot(ceiling={"amount": "1000", "currency": "EUR"})]
    )
    assert below["state"] == "published"


async def test_a_value_that_cannot_be_compared_counts_as_above_the_limit(
    new_buyer: NewPerson, new_supplier: NewPerson
) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    limit = {"approval_limit": {"amount": "900000000.00", "currency": "USD"}}
    ok(await buyer.client.put(POLICY, json=limit))
    assert (await published(buyer, supplier))["state"] == "awaiting_approval"
    ok(await buyer.client.put(POLICY, json={"approval_limit": None}))
    assert (await published(buyer, supplier))["state"] == "published"
    bad = {"approval_limit": {"amount": "x", "currency": "EUR"}}
    refused(await buyer.client.put(POLICY, json=bad), 422, "malformed")


async def test_documents_come_back_byte_for_byte_with_their_hash(
    new_buyer: NewPerson, new_supplier: NewPerson
) -> None:
    buyer, supplier, stranger = await new_buyer(), await new_supplier(), await new_supplier()
    made = await draft(buyer)
    big = PDF + bytes(range(256)) * (2 * CHUNK_BYTES // 256)
    first = ok(await upload(buyer, made["id"], PDF), 201)
    second = ok(await upload(buyer, made["id"], big), 201)
    secret = ok(
        await upload(
            buyer, made["id"], b"a,b", name="own.csv", media_type="text/csv", internal=True
        ),
        201,
    )
    assert (first["version"], second["version"]) == (1, 2)
    assert second["sha256"] == hashlib.sha256(big).hexdigest()
    ok(await invite(buyer, made["id"], supplier), 201)
    ok(await act(buyer, made["id"], "publish"))
    path = f"{URL}/{made['id']}/documents"
    answer = await supplier.client.get(f"{path}/{second['id']}")
    assert answer.content == big
    assert answer.headers["etag"] == f'"{second["sha256"]}"'
    assert answer.headers["content-disposition"].startswith("attachment")
    assert [row["version"] for row in ok(await supplier.client.get(path))["items"]] == [2, 1]
    assert len(ok(await buyer.client.get(path))["items"]) == 3
    assert (await supplier.client.get(f"{path}/{secret['id']}")).status_code == 404
    assert (await stranger.client.get(f"{path}/{first['id']}")).status_code == 404


async def test_files_that_are_not_what_they_claim_are_refused_whole(
    new_buyer: NewPerson, database: Database
) -> None:
    buyer = await new_buyer()
    made = await draft(buyer)
    tender_id = made["id"]
    refused(await upload(buyer, tender_id, b"MZ\x90"), 422, "wrong_content")
    refused(await upload(buyer, tender_id, b""), 422, "empty")
    refused(await upload(buyer, tender_id, PDF, name="../x.pdf"), 422, "bad_name")
    exe = await upload(buyer, tender_id, b"MZ", media_type="application/x-msdownload")
    refused(exe, 422, "unsupported_type")
    text_file = await upload(buyer, tender_id, b"a\x00b", name="a.txt", media_type="text/plain")
    refused(text_file, 422, "wrong_content")
    huge = await upload(buyer, tender_id, PDF + bytes(20 * 1024 * 1024))
    assert huge.status_code == 413, huge.text
    async with database.transaction(SYSTEM) as session:
        kept = await session.execute(
            text("SELECT count(*) FROM documents WHERE subject_id = :id"), {"id": tender_id}
        )
        assert kept.scalar_one() == 0


async def test_one_answer_reaches_all_and_names_nobody(
    new_buyer: NewPerson, new_supplier: NewPerson
) -> None:
    buyer, asker, other = await new_buyer(), await new_supplier(), await new_supplier()
    done = await published(buyer, asker, other)
    asked = ok(await act(asker, done["id"], "questions", text="We at Acme ask: which seal?"), 201)
    path = f"{URL}/{done['id']}/questions"
    assert ok(await other.client.get(path))["items"] == []
    seen = ok(await buyer.client.get(path))["items"][0]
    assert seen["asked_by"]["name"] == asker.name
    reply = {"answer": "EPDM", "question": "Which seal?"}
    assert (await asker.client.post(f"{path}/{asked['id']}/answer", json=reply)).status_code == 404
    ok(await buyer.client.post(f"{path}/{asked['id']}/answer", json=reply), 201)
    again = await buyer.client.post(f"{path}/{asked['id']}/answer", json=reply)
    refused(again, 409, "already_answered")
    theirs = (await other.client.get(path)).text
    assert "Acme" not in theirs
    assert asker.name not in theirs
    row = ok(await other.client.get(path))["items"][0]
    assert (row["question"], row["answer"], row["mine"]) == ("Which seal?", "EPDM", False)
    assert (row["asked_by"], row["asked_at"]) == (None, None)
    assert ok(await asker.client.get(path))["items"][0]["mine"] is True
    refused(await act(buyer, done["id"], "questions", text="Hm?"), 403, "own_tender")


async def test_a_change_after_publication_is_a_visible_addendum(
    new_buyer: NewPerson, new_supplier: NewPerson
) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    made = await draft(buyer)
    refused(await act(buyer, made["id"], "addenda", text="x"), 409, "wrong_state")
    done = await published(buyer, supplier, offers={"due_at": in_seconds(600)})
    later = in_seconds(1_200)
    change = {"text": "More time", "title": "Better pumps", "offers_due_at": later}
    ok(await act(buyer, done["id"], "addenda", **change), 201)
    ok(await upload(buyer, done["id"], PDF), 201)
    ok(await upload(buyer, done["id"], PDF, name="own.pdf", internal=True), 201)
    shown = ok(await supplier.client.get(f"{URL}/{done['id']}/addenda"))["items"]
    assert [(row["number"], row["text"]) for row in shown] == [
        (1, "More time"),
        (2, "Document drawing.pdf, version 1."),
    ]
    fields = {row["field"]: (row["before"], row["after"]) for row in shown[0]["changes"]}
    assert fields["title"] == (done["title"], "Better pumps")
    assert fields["offers_due_at"][0] == done["offers"]["due_at"]
    seen = ok(await supplier.client.get(f"{URL}/{done['id']}"))
    assert (seen["title"], seen["addenda_count"]) == ("Better pumps", 2)
    sooner = await act(buyer, done["id"], "addenda", text="x", offers_due_at=in_seconds(300))
    refused(sooner, 422, "not_later")
    assert (await act(supplier, done["id"], "addenda", text="x")).status_code == 404
