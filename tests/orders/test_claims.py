"""Claims, evidence, documents and surveys; and how a rating follows them there and back."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import text

from marketplace.documents.rules import BYTES_MAX, CHUNK_BYTES
from marketplace.kernel.db import SYSTEM, Database
from marketplace.kernel.workflow import fire_due
from marketplace.orders.service import claims
from tests.answers import ok, refused
from tests.orders.ordering import (
    PNG,
    URL,
    accepted,
    act,
    claimed,
    confirm,
    decide,
    deliver,
    ordered,
)
from tests.orders.test_orders import Later
from tests.people import NewPerson, Person
from web.wiring import subscribed


async def score(buyer: Person, supplier: Person) -> dict[str, Any]:
    found: dict[str, Any] = ok(
        await buyer.client.get(f"/api/v1/ratings/{supplier.organisation_id}")
    )
    return found


async def test_an_upheld_claim_lowers_the_rating_and_withdrawn_it_is_as_before(
    new_buyer: NewPerson, new_supplier: NewPerson
) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    orders = [await accepted(buyer, supplier) for _ in range(4)]
    before = await score(buyer, supplier)
    assert before["state"] == "rated"
    claim = await claimed(buyer, orders[0], severity_bp=10_000)
    assert claim["state"] == "open"
    assert (await score(buyer, supplier))["score"] == before["score"]
    upheld = ok(await decide(supplier, claim, "uphold", reason="Our mistake"))
    assert (upheld["state"], upheld["answer"]) == ("upheld", "Our mistake")
    lower = await score(buyer, supplier)
    assert Decimal(lower["score"]) < Decimal(before["score"])
    ok(await decide(buyer, claim, "withdraw"))
    assert (await score(buyer, supplier))["score"] == before["score"]


async def test_reopening_takes_an_order_out_of_the_rating(
    new_buyer: NewPerson, new_supplier: NewPerson
) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    orders = [await accepted(buyer, supplier) for _ in range(3)]
    before = await score(buyer, supplier)
    refused(await act(buyer, orders[0], "reopen"), 409, "reason_missing")
    ok(await act(buyer, orders[0], "reopen", reason="The wrong ones"))
    assert (await score(buyer, supplier))["state"] == "not rated yet"
    ok(await act(buyer, orders[0], "accept"))
    assert (await score(buyer, supplier))["score"] == before["score"]


async def test_only_delivered_goods_are_complained_about(
    new_buyer: NewPerson, new_supplier: NewPerson
) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    made = await ordered(buyer, supplier)
    url = f"{URL}/{made['id']}/claims"
    body = {"kind": "quality", "severity_bp": 5_000, "description": "Leaks"}
    refused(await buyer.client.post(url, json=body), 409, "nothing_delivered")
    await confirm(supplier, made)
    ok(await deliver(supplier, made, "1", "0"), 201)
    refused(await supplier.client.post(url, json=body), 403, "not_the_buyer")
    refused(await buyer.client.post(url, json=body | {"position": 7}), 422, "unknown_line")
    assert (await buyer.client.post(url, json=body | {"severity_bp": 0})).status_code == 422
    claim = await claimed(buyer, made, position=0)
    view = ok(await supplier.client.get(f"{URL}/{made['id']}"))
    assert view["next"] == view["next"] | {
        "whose": "supplier",
        "text": "Uphold or dispute the claim.",
        "events": ["uphold", "dispute"],
    }
    assert [row["id"] for row in view["claims"]] == [claim["id"]]


async def test_the_buyer_alone_cannot_uphold_and_the_operator_has_the_last_word(
    new_buyer: NewPerson, new_supplier: NewPerson, operator: Person
) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    made = await accepted(buyer, supplier)
    claim = await claimed(buyer, made, severity_bp=9_000)
    refused(await decide(buyer, claim, "uphold"), 403, "role_missing")
    refused(await decide(supplier, claim, "dispute"), 409, "reason_missing")
    ok(await decide(supplier, claim, "dispute", reason="Wrong use"))
    # Nothing of it is the operator's business before it is escalated.
    for path in (f"/api/v1/claims/{claim['id']}", f"{URL}/{made['id']}"):
        assert (await operator.client.get(path)).status_code == 404
    assert (await decide(operator, claim, "uphold")).status_code == 404
    assert claim["id"] not in (await operator.client.get("/api/v1/claims")).text
    ok(await decide(buyer, claim, "escalate"))
    assert ok(await operator.client.get(f"{URL}/{made['id']}"))["id"] == made["id"]
    listed = ok(await operator.client.get("/api/v1/claims", params={"state": "escalated"}))
    assert claim["id"] in [row["id"] for row in listed["items"]]
    refused(await decide(supplier, claim, "uphold", severity_bp=1), 409, "undefined_transition")
    done = ok(await decide(operator, claim, "uphold", reason="In part", severity_bp=3_000))
    assert (done["state"], done["severity_bp"]) == ("upheld", 3_000)
    steps = ok(await buyer.client.get(f"{URL}/{made['id']}/timeline"))["items"]
    assert [step["text"] for step in steps if step["kind"] == "claim"] == [
        "Claim 1: uphold, now upheld",
        "Claim 1: escalate, now escalated",
        "Claim 1: dispute, now disputed",
        "Claim 1: file, now open",
    ]
    stranger = await new_supplier()
    assert (await decide(stranger, claim, "uphold")).status_code == 404
    assert (await stranger.client.get(f"/api/v1/claims/{claim['id']}")).status_code == 404
    assert ok(await stranger.client.get("/api/v1/claims"))["items"] == []


async def test_an_unanswered_claim_escalates_and_an_uncontested_dispute_ends(
    new_buyer: NewPerson, new_supplier: NewPerson, database: Database
) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    made = await accepted(buyer, supplier)
    silent, disputed = await claimed(buyer, made), await claimed(buyer, made)
    ok(await decide(supplier, disputed, "dispute", reason="No"))
    facts = subscribed()

    async def fire(session: Any, subject: Any, event: str, now: Any) -> None:
        await claims.fire(facts, session, subject, event, now)

    await fire_due(database, Later(timedelta(days=11)), {"claim": fire})
    states = {}
    for claim in (silent, disputed):
        states[claim["id"]] = ok(await buyer.client.get(f"/api/v1/claims/{claim['id']}"))["state"]
    assert states == {silent["id"]: "escalated", disputed["id"]: "dismissed"}


async def test_evidence_has_a_hash_versions_and_limits(
    new_buyer: NewPerson, new_supplier: NewPerson
) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    made = await accepted(buyer, supplier)
    claim = await claimed(buyer, made)
    url = f"{URL}/{made['id']}/documents"
    photo = PNG + bytes(range(256)) * (CHUNK_BYTES // 200)
    where = {"name": "leak.png", "claim_id": claim["id"]}
    png = {"Content-Type": "image/png"}
    kept = ok(await buyer.client.post(url, params=where, content=photo, headers=png), 201)
    assert kept["sha256"] == hashlib.sha256(photo).hexdigest()
    again = ok(await buyer.client.post(url, params=where, content=PNG, headers=png), 201)
    assert (again["version"], again["claim_id"]) == (2, claim["id"])
    answer = await supplier.client.get(f"{url}/{kept['id']}")
    assert answer.content == photo
    assert answer.headers["ETag"] == f'"{kept["sha256"]}"'
    for params, content, headers, status in [
        ({"name": "../x.png"}, PNG, png, 422),
        ({"name": "x.exe"}, b"MZ", {"Content-Type": "application/x-msdownload"}, 422),
        ({"name": "x.png"}, b"%PDF-1.7", png, 422),
        ({"name": "x.png"}, b"", png, 422),
        ({"name": "x.png"}, PNG + b"0" * BYTES_MAX, png, 413),
        ({"name": "x.png", "claim_id": made["id"]}, PNG, png, 404),
    ]:
        answer = await buyer.client.post(url, params=params, content=content, headers=headers)
        assert answer.status_code == status, (params, answer.text)
    stranger = await new_supplier()
    assert (await stranger.client.get(f"{url}/{kept['id']}")).status_code == 404


async def test_internal_files_stay_inside_and_the_other_side_stamps(
    new_buyer: NewPerson, new_supplier: NewPerson
) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    made = await ordered(buyer, supplier)
    url = f"{URL}/{made['id']}/documents"
    plain = {"Content-Type": "text/plain"}
    inside = ok(
        await buyer.client.post(
            url, params={"name": "a.txt", "internal": True}, content=b"secret", headers=plain
        ),
        201,
    )
    drawing = ok(
        await buyer.client.post(url, params={"name": "b.txt"}, content=b"open", headers=plain), 201
    )
    seen = ok(await supplier.client.get(url))["items"]
    assert [row["id"] for row in seen] == [drawing["id"]]
    assert (await supplier.client.get(f"{url}/{inside['id']}")).status_code == 404
    assert "a.txt" not in (await supplier.client.get(f"{URL}/{made['id']}/timeline")).text
    refused(await buyer.client.post(f"{url}/{drawing['id']}/accept"), 403, "own_work")
    stamped = ok(await supplier.client.post(f"{url}/{drawing['id']}/accept"))
    assert stamped["accepted_at"] is not None
    refused(await supplier.client.post(f"{url}/{drawing['id']}/accept"), 409, "already_accepted")


async def test_one_question_for_thirty_days(
    new_buyer: NewPerson, new_supplier: NewPerson, database: Database
) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    made = await ordered(buyer, supplier)
    url = f"{URL}/{made['id']}/survey"
    refused(await buyer.client.put(url, json={"stars": 5}), 409, "not_accepted")
    await confirm(supplier, made)
    ok(await deliver(supplier, made, "12", "3"), 201)
    done = ok(await act(buyer, made, "accept"))
    assert done["survey"]["stars"] is None
    assert (await buyer.client.put(url, json={"stars": 6})).status_code == 422
    assert (await supplier.client.put(url, json={"stars": 5})).status_code == 403
    ok(await buyer.client.put(url, json={"stars": 2}))
    assert ok(await buyer.client.put(url, json={"stars": 4}))["stars"] == 4
    assert ok(await supplier.client.get(f"{URL}/{made['id']}"))["survey"] is None
    shown = (await score(buyer, supplier))["survey"]
    assert shown == {"answers": 1, "average": None, "note": "few ratings"}
    async with database.transaction(SYSTEM) as session:
        await session.execute(
            text("UPDATE orders SET accepted_at = now() - interval '31 days' WHERE id = :id"),
            {"id": made["id"]},
        )
    refused(await buyer.client.put(url, json={"stars": 1}), 409, "survey_over")
