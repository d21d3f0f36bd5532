"""Ratings over HTTP: scores with explanations, policies, trust, blocks, the public one."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text

from marketplace.kernel.actor import Actor
from marketplace.kernel.db import SYSTEM, Database
from marketplace.kernel.ids import OrganisationId, UserId
from marketplace.orders.facts import SurveyAnswered
from ratings.service import gates
from tests.answers import ok
from tests.orders.ordering import accepted, line
from tests.people import NewPerson, Person
from tests.ratings.histories import (
    completed,
    days_ago,
    now,
    tell,
    upheld,
    withdrawn,
)

URL = "/api/v1/ratings"
WEIGHTS = {
    "orders": 1_000,
    "volume": 1_000,
    "claims": 5_000,
    "price": 1_000,
    "tenure": 1_000,
    "trust": 1_000,
}


async def rating(person: Person, supplier: Person, **query: Any) -> dict[str, Any]:
    answer = await person.client.get(f"{URL}/{supplier.organisation_id}", params=query)
    found: dict[str, Any] = ok(answer)
    return found


async def known(database: Database, buyer: Person, supplier: Person, count: int = 6) -> list[Any]:
    orders = [
        completed(buyer.organisation_id, supplier.organisation_id, 30 * number + 5)
        for number in range(count)
    ]
    await tell(database, *orders)
    return orders


def points(view: dict[str, Any]) -> Decimal:
    assert view["score"] is not None, view
    return Decimal(view["score"])


async def test_cold_start_is_no_number(
    new_buyer: NewPerson, new_supplier: NewPerson, database: Database
) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    view = await rating(buyer, supplier)
    assert view["state"] == "not rated yet"
    assert view["score"] is view["cautious_score"] is view["confidence"] is None
    assert view["explanation"] == []
    assert view["orders_missing"] == 3
    await known(database, buyer, supplier, 1)
    assert (await rating(buyer, supplier))["state"] == "not rated yet"


async def test_amounts_beyond_32_bits_are_ordered_and_rated(
    new_buyer: NewPerson, new_supplier: NewPerson, database: Database
) -> None:
    """21,474,836.47 is the last amount that 32 bits of cents can hold."""
    buyer, supplier = await new_buyer(), await new_supplier()
    billions = {"amount": "3000000000.00", "currency": "EUR"}
    lines = [line(quantity="2", price=billions, price_unit="1")]
    done = await accepted(buyer, supplier, lines=lines)
    assert done["total"]["amount"] == "6000000000.00"
    await known(database, buyer, supplier)
    view = await rating(buyer, supplier)
    volume = next(part for part in view["explanation"] if part["name"] == "volume")
    assert (view["state"], volume["value"]) == ("rated", "1.0000")


async def test_contributions_add_up_and_a_claim_comes_and_goes(
    new_buyer: NewPerson, new_supplier: NewPerson, database: Database
) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    orders = await known(database, buyer, supplier)
    before = await rating(buyer, supplier)
    assert before["state"] == "rated"
    assert sum(Decimal(part["contribution"]) for part in before["explanation"]) == points(before)
    assert sum(part["weight"] for part in before["explanation"]) == 10_000
    assert all(part["because"] for part in before["explanation"])
    assert Decimal(before["what_would_change_it"]["per_clean_order"]) > 0
    assert Decimal(before["what_would_change_it"]["per_claim"]) < 0
    assert Decimal(before["cautious_score"]) <= points(before)
    claim = upheld(orders[0])
    await tell(database, claim)
    claimed = await rating(buyer, supplier)
    assert points(claimed) < points(before)
    assert sum(Decimal(part["contribution"]) for part in claimed["explanation"]) == points(claimed)
    await tell(database, withdrawn(claim))
    assert (await rating(buyer, supplier))["score"] == before["score"]


async def test_a_rating_belongs_to_its_buyer_and_its_supplier(
    new_buyer: NewPerson, new_supplier: NewPerson, database: Database
) -> None:
    buyer, other = await new_buyer(), await new_buyer()
    supplier, rival = await new_supplier(), await new_supplier()
    await known(database, buyer, supplier)
    mine = await rating(buyer, supplier)
    theirs = await rating(supplier, supplier, buyer_id=str(buyer.organisation_id))
    assert theirs["score"] == mine["score"]
    assert (await rating(other, supplier))["state"] == "not rated yet"
    for person, path in [
        (rival, f"{URL}/{supplier.organisation_id}?buyer_id={buyer.organisation_id}"),
        (other, f"{URL}/{supplier.organisation_id}?buyer_id={buyer.organisation_id}"),
        (rival, f"{URL}/{supplier.organisation_id}"),
        (buyer, f"{URL}/{other.organisation_id}"),
        (buyer, f"{URL}/{buyer.user_id}"),
        (rival, f"{URL}/{supplier.organisation_id}/history?buyer_id={buyer.organisation_id}"),
        (rival, f"{URL}/{supplier.organisation_id}/what_if?buyer_id={buyer.organisation_id}"),
    ]:
        assert (await person.client.get(path)).status_code == 404, path
    received = ok(await supplier.client.get(f"{URL}/received"))["items"]
    assert [(row["buyer"]["id"], row["score"]) for row in received] == [
        (str(buyer.organisation_id), mine["score"])
    ]
    assert ok(await rival.client.get(f"{URL}/received"))["items"] == []


async def test_rows_of_others_are_invisible_even_to_a_wrong_query(
    new_buyer: NewPerson, new_supplier: NewPerson, database: Database
) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    orders = await known(database, buyer, supplier)
    await tell(database, upheld(orders[0]))
    for person in (supplier, await new_buyer()):
        actor = Actor(
            user_id=UserId(person.user_id),
            organisation_id=OrganisationId(person.organisation_id),
            roles=frozenset(),
            capabilities=frozenset(),
        )
        async with database.transaction(actor) as session:
            for table in ("rating_lines", "rating_claims", "rating_sums", "rating_bases"):
                count = await session.scalar(text(f"SELECT count(*) FROM {table}"))
                assert count == 0, (person.name, table)


async def test_trust_has_an_author_a_reason_and_an_end(
    new_buyer: NewPerson, new_supplier: NewPerson, database: Database
) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    await known(database, buyer, supplier)
    before = points(await rating(buyer, supplier))
    url = f"{URL}/{supplier.organisation_id}/trust"
    end = (now() + timedelta(days=90)).isoformat()
    body = {"credit_bp": 10_000, "reason": "Ten years of pumps", "expires_at": end}
    for wrong in (
        {"reason": " "},
        {"expires_at": days_ago(1).isoformat()},
        {"expires_at": (now() + timedelta(days=4_000)).isoformat()},
        {"credit_bp": 10_001},
    ):
        assert (await buyer.client.post(url, json=body | wrong)).status_code == 422, wrong
    assert (await buyer.client.post(url, json={"credit_bp": 1, "reason": "x"})).status_code == 422
    assert (await supplier.client.post(url, json=body)).status_code == 403
    view = ok(await buyer.client.post(url, json=body), 201)
    assert 0 < points(view) - before <= Decimal("2.6")
    assert view["trust"]["reason"] == "Ten years of pumps"
    assert view["trust"]["author_id"] == str(buyer.user_id)
    theirs = await rating(supplier, supplier, buyer_id=str(buyer.organisation_id))
    assert theirs["score"] == view["score"]
    assert theirs["trust"]["reason"] is theirs["trust"]["author_id"] is None


async def test_a_block_is_a_gate_apart_from_the_number(
    new_buyer: NewPerson, new_supplier: NewPerson, database: Database
) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    await known(database, buyer, supplier)
    url = f"{URL}/{supplier.organisation_id}"
    score = (await rating(buyer, supplier))["score"]
    blocked = ok(await buyer.client.post(f"{url}/block", json={"reason": "Forged certificate"}))
    assert blocked["block"]["reason"] == "Forged certificate"
    assert blocked["score"] == score
    again = await buyer.client.post(f"{url}/block", json={"reason": "Again"})
    assert (again.status_code, again.json()["code"]) == (409, "already_blocked")
    theirs = await rating(supplier, supplier, buyer_id=str(buyer.organisation_id))
    assert theirs["block"]["reason"] == "Forged certificate"
    async with database.transaction(SYSTEM) as session:
        found = await gates.standings(
            session, buyer.organisation_id, [supplier.organisation_id], now()
        )
    standing = found[supplier.organisation_id]
    assert (standing.score, standing.blocked) == (score, "Forged certificate")
    lifted = ok(await buyer.client.post(f"{url}/unblock", json={"reason": "It was real"}))
    assert lifted["block"] is None
    once_more = await buyer.client.post(f"{url}/unblock", json={"reason": "x"})
    assert (once_more.status_code, once_more.json()["code"]) == (409, "not_blocked")


async def test_policies_are_dated_and_never_change(
    new_buyer: NewPerson, new_supplier: NewPerson, database: Database
) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    orders = await known(database, buyer, supplier)
    await tell(database, upheld(orders[0]), upheld(orders[1]))
    first = await rating(buyer, supplier)
    assert first["policy"]["version"] == 0
    url = "/api/v1/rating_policies"
    made = ok(await buyer.client.post(url, json={"weights": WEIGHTS, "note": "Quality"}), 201)
    assert (made["version"], made["in_force"]) == (1, True)
    second = await rating(buyer, supplier)
    assert second["policy"]["version"] == 1
    assert second["score"] != first["score"]
    assert (await rating(buyer, supplier, policy_version=0))["score"] == first["score"]
    before = (await rating(buyer, supplier, as_of=first["as_of"]))["score"]
    assert before == first["score"]
    later = {"weights": WEIGHTS, "valid_from": (now() + timedelta(days=30)).isoformat()}
    assert ok(await buyer.client.post(url, json=later), 201)["in_force"] is False
    early = await buyer.client.post(url, json={"weights": WEIGHTS})
    assert (early.status_code, early.json()["code"]) == (422, "before_the_last")
    past = {"weights": WEIGHTS, "valid_from": days_ago(1).isoformat()}
    assert (await buyer.client.post(url, json=past)).json()["code"] == "in_the_past"
    listed = ok(await buyer.client.get(url))["items"]
    assert [(row["version"], row["in_force"]) for row in listed] == [
        (2, False),
        (1, True),
        (0, False),
    ]
    other = await new_buyer()
    assert [row["version"] for row in ok(await other.client.get(url))["items"]] == [0]


async def test_events_reach_every_policy_that_will_need_them(
    new_buyer: NewPerson, new_supplier: NewPerson, database: Database
) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    await known(database, buyer, supplier)
    url = "/api/v1/rating_policies"
    ok(await buyer.client.post(url, json={"weights": WEIGHTS}), 201)
    await tell(database, completed(buyer.organisation_id, supplier.organisation_id, 1))
    live = await rating(buyer, supplier)
    counted = await rating(buyer, supplier, as_of=live["as_of"])
    assert live["score"] == counted["score"]
    assert live["explanation"] == counted["explanation"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"weights": WEIGHTS | {"orders": 999}}, "weights"),
        ({"weights": WEIGHTS | {"orders": 0, "trust": 2_001, "tenure": 999}}, "weights.trust"),
        ({"weights": WEIGHTS, "parameters": {"half_life_days": 1}}, "parameters.half_life_days"),
        ({"weights": WEIGHTS, "parameters": {"rates": {"USD": "0"}}}, "parameters.rates.USD"),
    ],
)
async def test_impossible_policies_are_refused_by_field(
    new_buyer: NewPerson, change: dict[str, Any], field: str
) -> None:
    buyer = await new_buyer()
    answer = await buyer.client.post("/api/v1/rating_policies", json=change)
    assert answer.status_code == 422, answer.text
    assert field in [error["field"] for error in answer.json()["errors"]]


async def test_other_weights_are_tried_before_they_are_adopted(
    new_buyer: NewPerson, new_supplier: NewPerson, database: Database
) -> None:
    buyer = await new_buyer()
    good, bad, new = await new_supplier(), await new_supplier(), await new_supplier()
    await known(database, buyer, good)
    for order in await known(database, buyer, bad):
        await tell(database, upheld(order, 5_000))
    await known(database, buyer, new, 1)
    url = "/api/v1/rating_policies/simulate"
    page = ok(await buyer.client.post(url, json={"weights": WEIGHTS}))
    rows = {row["supplier"]["id"]: row for row in page["items"]}
    assert rows[str(good.organisation_id)]["rank_after"] == 1
    assert rows[str(bad.organisation_id)]["rank_after"] == 2
    assert rows[str(new.organisation_id)]["score_after"] is None
    assert Decimal(rows[str(bad.organisation_id)]["difference"]) < 0
    adopted = ok(await buyer.client.post("/api/v1/rating_policies", json={"weights": WEIGHTS}), 201)
    assert adopted["version"] == 1
    assert (await rating(buyer, bad))["score"] == rows[str(bad.organisation_id)]["score_after"]
    past = {"weights": WEIGHTS, "as_of": days_ago(100).isoformat()}
    assert ok(await buyer.client.post(url, json=past))["suppliers"] == 2


async def test_history_and_what_if(
    new_buyer: NewPerson, new_supplier: NewPerson, database: Database
) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    await known(database, buyer, supplier)
    url = f"{URL}/{supplier.organisation_id}"
    line = ok(await buyer.client.get(f"{url}/history", params={"months": 8}))["items"]
    assert len(line) == 8
    assert line[0]["state"] == "not rated yet"
    assert line[-1]["score"] == (await rating(buyer, supplier))["score"]
    assert [point["at"] for point in line] == sorted(point["at"] for point in line)
    more = ok(await buyer.client.get(f"{url}/what_if", params={"clean_orders": 5}))
    assert Decimal(more["after"]) > Decimal(more["before"])
    assert sum(Decimal(part["contribution"]) for part in more["explanation"]) == Decimal(
        more["after"]
    )
    worse = ok(await buyer.client.get(f"{url}/what_if", params={"claims": 2.5}))
    assert Decimal(worse["difference"]) < 0
    dear = ok(
        await buyer.client.get(f"{url}/what_if", params={"clean_orders": 1, "price_percent": 50})
    )
    one = ok(await buyer.client.get(f"{url}/what_if", params={"clean_orders": 1}))
    assert Decimal(dear["after"]) < Decimal(one["after"])
    for wrong in ({"clean_orders": -1}, {"claims": "nan"}, {"price_percent": -100}):
        assert (await buyer.client.get(f"{url}/what_if", params=wrong)).status_code == 422


async def test_the_list_turns_pages(
    new_buyer: NewPerson, new_supplier: NewPerson, database: Database
) -> None:
    buyer = await new_buyer()
    suppliers = [await new_supplier() for _ in range(3)]
    for supplier in suppliers:
        await known(database, buyer, supplier, 4)
    first = ok(await buyer.client.get(URL, params={"limit": 2}))
    rest = ok(await buyer.client.get(URL, params={"limit": 2, "cursor": first["next_cursor"]}))
    found = [row["supplier"]["id"] for row in first["items"] + rest["items"]]
    assert found == sorted(str(supplier.organisation_id) for supplier in suppliers)
    assert rest["next_cursor"] is None
    assert all(row["score"] for row in first["items"])
    assert (await suppliers[0].client.get(URL)).status_code == 403


async def test_the_public_rating_needs_free_and_independent_buyers(
    new_buyer: NewPerson, new_supplier: NewPerson, operator: Person, database: Database
) -> None:
    supplier, other = await new_supplier(), await new_supplier()
    url = f"{URL}/{supplier.organisation_id}/public"
    buyers = [await new_buyer() for _ in range(4)]
    assert ok(await other.client.get(url))["state"] == "not rated yet"
    for buyer in buyers[:2]:
        await known(database, buyer, supplier)
        await known(database, buyer, other)
    few = ok(await other.client.get(url))
    assert (few["state"], few["score"], few["buyers"]) == ("few ratings", None, 2)
    await known(database, buyers[2], supplier)
    assert ok(await other.client.get(url)) | {"as_of": 0} == few | {"as_of": 0}
    await known(database, buyers[2], other)
    rated = ok(await other.client.get(url))
    assert (rated["state"], rated["buyers"]) == ("rated", 3)
    puppet = buyers[3]
    orders = await known(database, puppet, supplier)
    await tell(database, *(upheld(order) for order in orders))
    assert ok(await other.client.get(url))["score"] == rated["score"]
    pair = {
        "organisation_id": str(buyers[0].organisation_id),
        "affiliate_id": str(supplier.organisation_id),
        "reason": "One group",
    }
    assert (await buyers[0].client.post("/api/v1/rating_affiliates", json=pair)).status_code == 403
    ok(await operator.client.post("/api/v1/rating_affiliates", json=pair), 201)
    assert ok(await other.client.get(url))["buyers"] == 2


async def test_few_answers_show_few_ratings(
    new_buyer: NewPerson, new_supplier: NewPerson, database: Database
) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    orders = await known(database, buyer, supplier, 5)
    answers = [
        SurveyAnswered(
            order_id=order.order_id,
            buyer_id=buyer.organisation_id,
            supplier_id=supplier.organisation_id,
            at=now(),
            stars=stars,
        )
        for order, stars in zip(orders, (5, 4, 5, 3, 4), strict=True)
    ]
    await tell(database, *answers[:4])
    few = (await rating(buyer, supplier))["survey"]
    assert few == {"answers": 4, "average": None, "note": "few ratings"}
    await tell(database, answers[4], answers[4])
    enough = (await rating(buyer, supplier))["survey"]
    assert enough == {"answers": 5, "average": "4.2", "note": None}


async def test_the_future_is_not_told(new_buyer: NewPerson, new_supplier: NewPerson) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    url = f"{URL}/{supplier.organisation_id}"
    future = (now() + timedelta(days=1)).isoformat()
    assert (await buyer.client.get(url, params={"as_of": future})).status_code == 422
    for long_ago in ("0001-01-01T00:00:00Z", "1999-12-31T00:00:00Z"):
        assert (await buyer.client.get(url, params={"as_of": long_ago})).status_code == 422
    for unknown, status in ((9, 404), (-1, 404), (10**30, 422)):
        answer = await buyer.client.get(url, params={"policy_version": unknown})
        assert answer.status_code == status
    huge = {"weights": WEIGHTS, "parameters": {"price_prior_minor": 10**400}}
    assert (await buyer.client.post("/api/v1/rating_policies", json=huge)).status_code == 422
    far = {"weights": WEIGHTS, "valid_from": "9999-01-01T00:00:00Z"}
    assert (await buyer.client.post("/api/v1/rating_policies", json=far)).status_code == 422
    assert (await buyer.client.get(f"{url}/history", params={"months": 0})).status_code == 422
