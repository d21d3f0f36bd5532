"""A plan is written by one side and agreed by the other; both follow the same bytes."""

from __future__ import annotations

import pytest

from tests.answers import ok, refused
from tests.orders.ordering import accepted
from tests.people import Connect, NewPerson, Person, colleague
from tests.suppliers.partnering import API, days, partnered, planned


async def answer(person: Person, plan: dict[str, object], event: str, **body: object) -> object:
    return await person.client.post(f"{API}/plans/{plan['id']}/{event}", json=body or None)


async def test_both_sides_follow_an_agreed_plan_in_the_same_bytes(
    operator: Person, new_buyer: NewPerson, new_supplier: NewPerson
) -> None:
    buyer, partner = await new_buyer(), await new_supplier()
    agreement = await partnered(operator, partner)
    plan = await planned(operator, agreement)
    path = f"{API}/plans/{plan['id']}"
    assert (await partner.client.get(path)).status_code == 404, "a draft is its own side's"
    refused(await answer(operator, plan, "agree"), 409, "undefined_transition")
    ok(await answer(operator, plan, "propose"))
    refused(await answer(operator, plan, "agree"), 409, "own_proposal")
    assert ok(await answer(partner, plan, "agree"))["state"] == "agreed"
    refused(await answer(partner, plan, "decline", reason="Late"), 409, "undefined_transition")

    await accepted(buyer, partner)
    shown = await partner.client.get(path)
    assert shown.json()["targets"] == [
        {"measure": "sales", "target": "60", "now": "30", "percent": "50.0"}
    ]
    assert shown.json()["payout_now"] == {"amount": "0.00", "currency": "EUR"}
    assert shown.json()["payout_at_plan"] == {"amount": "1.20", "currency": "EUR"}
    assert shown.json()["inputs"] == {"sales": "30", "sales_target": "60"}
    assert (await operator.client.get(path)).content == shown.content
    await accepted(buyer, partner)
    assert (await partner.client.get(path)).json()["payout_now"]["amount"] == "1.20"
    mine = await partner.client.get(f"{API}/agreements/mine")
    assert mine.json()["plan"]["id"] == plan["id"]


async def test_the_partner_may_propose_and_the_channel_manager_declines_with_a_reason(
    operator: Person, new_supplier: NewPerson
) -> None:
    partner = await new_supplier()
    plan = await planned(partner, await partnered(operator, partner))
    assert (await operator.client.get(f"{API}/plans/{plan['id']}")).status_code == 404
    refused(await answer(operator, plan, "propose"), 404, "not_found")
    ok(await answer(partner, plan, "propose"))
    refused(await answer(operator, plan, "decline"), 422, "invalid")
    declined = ok(await answer(operator, plan, "decline", reason="Too high"))
    assert (declined["state"], declined["reason"]) == ("declined", "Too high")


async def test_an_observer_and_another_partner_change_nothing(
    operator: Person, new_supplier: NewPerson, connect_client: Connect
) -> None:
    partner, other = await new_supplier(), await new_supplier()
    agreement = await partnered(operator, partner)
    await partnered(operator, other)
    plan = await planned(operator, agreement)
    ok(await answer(operator, plan, "propose"))
    assert (await answer(other, plan, "agree")).status_code == 404
    observer = await colleague(connect_client, partner, "observer")
    refused(await answer(observer, plan, "agree"), 403, "role_missing")
    assert (await observer.client.get(f"{API}/plans/{plan['id']}")).status_code == 200
    foreign = await other.client.get(f"{API}/plans", params={"agreement_id": agreement["id"]})
    assert foreign.json()["items"] == []


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"payout_formula": "sales ** 2"}, "payout_formula", "not_allowed"),
        ({"payout_formula": "revenue"}, "payout_formula", "unknown_name"),
        ({"payout_formula": "x" * 501}, "payout_formula", "too_long"),
        ({"targets": [{"measure": "sales", "target": "0"}]}, "targets[0].target", "not_positive"),
        ({"targets": [{"measure": "sales", "target": "1"}] * 2}, "targets[1].measure", "duplicate"),
        ({"to": days(-20)}, "to", "reversed_period"),
    ],
)
async def test_a_wrong_plan_says_where(
    operator: Person,
    new_supplier: NewPerson,
    changes: dict[str, object],
    field: str,
    code: str,
) -> None:
    partner = await new_supplier()
    agreement = await partnered(operator, partner)
    body = {
        "agreement_id": agreement["id"],
        "from": days(-15),
        "to": days(15),
        "targets": [{"measure": "sales", "target": "60.00"}],
        "payout_formula": "0",
    } | changes
    refusal = await operator.client.post(f"{API}/plans", json=body)
    assert refusal.status_code == 422, refusal.text
    assert [(one["field"], one["code"]) for one in refusal.json()["errors"]] == [(field, code)]


async def test_a_plan_whose_formula_has_no_result_now_says_so_and_pays_nothing(
    operator: Person, new_supplier: NewPerson
) -> None:
    partner = await new_supplier()
    agreement = await partnered(operator, partner)
    targets = [
        {"measure": "sales", "target": "10"},
        {"measure": "claims_percent", "target": "2"},
    ]
    formula = "100 / sales if claims_percent < 2 else 0"
    plan = await planned(operator, agreement, targets=targets, payout_formula=formula)
    assert plan["payout_now"] is None, "nobody ordered yet, so there is no share of claims"
    assert plan["payout_at_plan"] == {"amount": "0.00", "currency": "EUR"}
    assert plan["inputs"]["claims_percent"] is None
