"""From a published programme to an approved tier: what counts, who decides, what it grants."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import text

from marketplace.kernel.clock import Clock
from marketplace.kernel.db import SYSTEM, Database
from suppliers.programme.jobs import judge_tiers
from suppliers.programme.measures import Measures
from tests.answers import ok, refused
from tests.orders.ordering import PNG, accepted, ordered
from tests.orders.ordering import act as move
from tests.people import NewPerson, Person
from tests.pricing.conftest import NewShop
from tests.suppliers.partnering import (
    API,
    BRONZE,
    SILVER,
    act,
    certify,
    drafted,
    parameter,
    partnered,
    programme,
    published,
    read,
    terms,
    tier,
)


async def test_sales_and_certificates_reach_a_tier_that_a_channel_manager_approves(
    operator: Person, new_buyer: NewPerson, new_supplier: NewPerson
) -> None:
    buyer, partner = await new_buyer(), await new_supplier()
    agreement = await partnered(operator, partner)
    standing = await read(partner, f"agreements/{agreement['id']}/standing")
    assert standing["eligible"] is None
    assert standing["next"]["tier"] == "bronze"
    assert standing["next"]["gaps"] == [{"measure": "sales", "period_days": 365, "distance": "20"}]
    refused(await act(operator, agreement, "tier", tier="bronze"), 409, "not_eligible")

    # 12 at 10.00 per 5 and 3 at 10.00 per 5
    order = await accepted(buyer, partner)
    standing = await read(partner, f"agreements/{agreement['id']}/standing")
    assert standing["eligible"] == "bronze"
    [sales, _] = standing["values"]
    assert sales["value"] == "30"
    assert [fact["id"] for fact in sales["facts"]] == [order["id"]]
    refused(await act(operator, agreement, "tier", tier="silver"), 409, "not_eligible")
    assert ok(await act(operator, agreement, "tier", tier="bronze"))["tier"] == "bronze"

    await accepted(buyer, partner)
    await certify(operator, partner, agreement)
    assert ok(await act(operator, agreement, "tier", tier="silver"))["tier"] == "silver"
    mine = await read(partner, "agreements/mine")
    assert mine["agreement"]["tier"] == "silver"
    assert mine["standing"]["next"] is None
    assert mine["reward"]["sale_percent"] == "2.50"
    [last, first, *_] = mine["history"]
    assert (first["tier_before"], first["tier"]) == (None, "bronze")
    assert (last["tier_before"], last["tier"]) == ("bronze", "silver")
    assert last["standing"]["scores"] == {"bronze": 20, "silver": 40}
    assert [value["value"] for value in last["standing"]["values"]] == ["60", "1"]


async def test_a_reopened_order_is_no_sale_and_the_approved_tier_stays(
    operator: Person, new_buyer: NewPerson, new_supplier: NewPerson
) -> None:
    buyer, partner = await new_buyer(), await new_supplier()
    agreement = await partnered(operator, partner)
    order = await accepted(buyer, partner)
    ok(await act(operator, agreement, "tier", tier="bronze"))
    ok(await move(buyer, order, "reopen", reason="Half of it leaks"))
    standing = await read(operator, f"agreements/{agreement['id']}/standing")
    assert standing["scores"]["bronze"] == 0
    assert standing["tier"] == "bronze"
    ok(await move(buyer, order, "accept"))
    standing = await read(operator, f"agreements/{agreement['id']}/standing")
    assert standing["scores"]["bronze"] == 20


async def test_a_partner_has_one_active_agreement_however_many_are_activated_at_once(
    operator: Person, new_supplier: NewPerson
) -> None:
    partner = await new_supplier()
    made = await published(operator)
    drafts = [await drafted(operator, partner, made=made) for _ in range(5)]
    answers = await asyncio.gather(*(act(operator, one, "activate") for one in drafts))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409, 409]
    codes = {answer.json()["code"] for answer in answers if answer.status_code == 409}
    assert codes == {"agreement_exists"}
    [active] = [one for one, answer in zip(drafts, answers, strict=True) if answer.is_success]
    ok(await act(operator, active, "suspend"))
    other = next(one for one in drafts if one is not active)
    ok(await act(operator, other, "activate"))
    refused(await act(operator, active, "resume"), 409, "agreement_exists")
    ok(await act(operator, other, "end"))
    ok(await act(operator, active, "resume"))


async def test_a_new_version_changes_nobody_until_the_agreement_is_moved(
    operator: Person, new_buyer: NewPerson, new_supplier: NewPerson
) -> None:
    buyer, partner = await new_buyer(), await new_supplier()
    made = await published(operator)
    agreement = await partnered(operator, partner, made=made)
    await accepted(buyer, partner)
    ok(await act(operator, agreement, "tier", tier="bronze"))
    harder = [tier("bronze", 20, parameter("sales", "1000.00", 20)), SILVER]
    path = f"{API}/programmes/{made['id']}/versions"
    assert ok(await operator.client.post(path, json={"tiers": harder}), 201)["version"] == 2
    refused(await act(operator, agreement, "move", version=2), 409, "not_published")
    ok(await operator.client.post(f"{path}/2/publish"))
    refused(await operator.client.post(f"{path}/2/publish"), 409, "published_already")
    standing = await read(partner, f"agreements/{agreement['id']}/standing")
    assert (standing["version"], standing["scores"]["bronze"]) == (1, 20)
    moved = ok(await act(operator, agreement, "move", version=2))
    assert (moved["version"], moved["tier"]) == (2, "bronze")
    standing = await read(partner, f"agreements/{agreement['id']}/standing")
    assert (standing["version"], standing["scores"]["bronze"]) == (2, 0)
    [snapshot, *_] = (await read(partner, f"agreements/{agreement['id']}/history"))["items"]
    assert (snapshot["event"], snapshot["standing"]["scores"]["bronze"]) == ("move", 20)


async def test_a_published_version_does_not_change_even_by_hand(
    operator: Person, database: Database
) -> None:
    made = await published(operator)
    async with database.transaction(SYSTEM) as session:
        with pytest.raises(Exception, match="never changes"):
            async with session.begin_nested():
                await session.execute(
                    text("UPDATE programme_versions SET tiers = '[]' WHERE programme_id = :id"),
                    {"id": made["id"]},
                )


async def test_a_revoked_certificate_and_one_of_somebody_who_left_count_no_more(
    operator: Person, new_supplier: NewPerson
) -> None:
    partner = await new_supplier()
    made = await published(operator, tier("gold", 1, parameter("certificates", "1", 1)))
    agreement = await partnered(operator, partner, made=made)
    done = await certify(operator, partner, agreement)
    await certify(operator, partner, agreement)
    standing = await read(partner, f"agreements/{agreement['id']}/standing")
    assert standing["values"][0]["value"] == "1", "the same person and course twice"
    for one in (await read(partner, f"agreements/{agreement['id']}/certificates"))["items"]:
        ok(await operator.client.post(f"{API}/certificates/{one['id']}/revoke"))
    standing = await read(partner, f"agreements/{agreement['id']}/standing")
    assert (standing["values"][0]["value"], standing["eligible"]) == ("0", None)
    answer = await operator.client.post(f"{API}/certificates/{done['id']}/revoke")
    refused(answer, 409, "revoked_already")


async def test_a_certificate_is_of_a_member_of_the_partner(
    operator: Person, new_supplier: NewPerson
) -> None:
    partner, other = await new_supplier(), await new_supplier()
    agreement = await partnered(operator, partner)
    body = {"person": str(other.user_id), "course": "Basics", "issued_at": "2026-01-01T00:00:00Z"}
    refused(await act(operator, agreement, "certificates", **body), 422, "unknown_person")


async def test_a_certificate_is_proved_by_a_document_of_the_partner_or_the_operator(
    operator: Person, new_supplier: NewPerson, new_buyer: NewPerson
) -> None:
    partner, buyer = await new_supplier(), await new_buyer()
    agreement = await partnered(operator, partner)
    order = await ordered(buyer, partner)
    documents = f"{API}/orders/{order['id']}/documents"
    sent = {
        "params": {"name": "scan.png"},
        "content": PNG,
        "headers": {"Content-Type": "image/png"},
    }
    own = ok(await partner.client.post(documents, **sent), 201)
    foreign = ok(await buyer.client.post(documents, **sent), 201)
    body = {"person": str(partner.user_id), "course": "Basics", "issued_at": "2026-01-01T00:00:00Z"}
    for document_id in (foreign["id"], order["id"]):
        answer = await act(operator, agreement, "certificates", **body, document_id=document_id)
        problem = refused(answer, 422, "unknown_document")
        assert [each["field"] for each in problem["errors"]] == ["document_id"]
    done = ok(await act(operator, agreement, "certificates", **body, document_id=own["id"]), 201)
    assert done["document_id"] == own["id"]


async def test_the_tier_opens_price_lists_until_the_agreement_rests(
    operator: Person, new_shop: NewShop, new_buyer: NewPerson, new_supplier: NewPerson
) -> None:
    buyer, partner = await new_buyer(), await new_supplier()
    shop = await new_shop()
    body = {"name": "For bronze", "kind": "tier", "tier": "programme:bronze"}
    made = ok(await shop.client.post(f"{API}/price_lists", json=body), 201)
    header = "sku,unit,currency,price\n"
    await shop.upload(f"{header}A-1,C62,EUR,9.00\n", mode="replace", price_list_id=made["id"])
    path = f"{API}/price_lists/{made['id']}"

    async def seen() -> int:
        return (await partner.client.get(path)).status_code

    agreement = await partnered(operator, partner)
    await accepted(buyer, partner)
    assert await seen() == 404
    ok(await act(operator, agreement, "tier", tier="bronze"))
    assert await seen() == 200
    ok(await act(operator, agreement, "suspend"))
    assert await seen() == 404
    ok(await act(operator, agreement, "resume"))
    assert await seen() == 200
    ok(await act(operator, agreement, "tier", tier=None))
    assert await seen() == 404
    # A supplier cannot put anybody into a tier of the programme for other suppliers' lists.
    tiers = f"{API}/price_tiers/{buyer.organisation_id}"
    for word in ("bronze", "programme:bronze"):
        ok(await partner.client.put(tiers, json={"tier": word}))
        assert (await buyer.client.get(path)).status_code == 404


async def test_two_partners_of_the_operator_see_nothing_of_each_other(
    operator: Person, new_buyer: NewPerson, new_supplier: NewPerson
) -> None:
    buyer, one, other = await new_buyer(), await new_supplier(), await new_supplier()
    made = await published(operator)
    theirs = await partnered(operator, one, made=made)
    own = await partnered(operator, other, made=made)
    await accepted(buyer, one)
    done = await certify(operator, one, theirs)
    for path in ("", "/standing", "/history", "/certificates"):
        answer = await other.client.get(f"{API}/agreements/{theirs['id']}{path}")
        assert answer.status_code == 404, path
    assert [each["id"] for each in (await read(other, "agreements"))["items"]] == [own["id"]]
    mine = await other.client.get(f"{API}/agreements/mine")
    for secret in (theirs["id"], done["id"], str(one.organisation_id)):
        assert secret not in mine.text
    assert (await buyer.client.get(f"{API}/agreements/mine")).status_code == 404
    for event in ("activate", "suspend", "tier", "certificates", "move"):
        refused(await act(other, own, event), 403, "operator_only")


async def test_the_proposal_is_announced_once(
    operator: Person, new_buyer: NewPerson, new_supplier: NewPerson, database: Database
) -> None:
    buyer, partner = await new_buyer(), await new_supplier()
    agreement = await partnered(operator, partner)
    await accepted(buyer, partner)
    await judge_tiers(database, Clock(), Measures())
    await judge_tiers(database, Clock(), Measures())
    shown = await read(partner, f"agreements/{agreement['id']}")
    assert (shown["tier"], shown["eligible"]) == (None, "bronze")
    async with database.reading(SYSTEM) as reader:
        mails = await reader.fetch(
            "SELECT FROM exchange_mails WHERE kind = 'tier.eligible' AND organisation_id = $1",
            partner.organisation_id,
        )
    assert len(mails) == 1


@pytest.mark.parametrize(
    ("tiers", "field", "code"),
    [
        ([tier("a", 10, parameter("wishes", "1", 10))], "tiers[0].parameters[0].measure",
         "unknown_measure"),
        ([tier("a", 10, parameter("sales", "1e3", 10))], "tiers[0].parameters[0].target",
         "exponent"),
        ([tier("a", 11, parameter("sales", "1", 10))], "tiers[0].threshold", "unreachable"),
        ([BRONZE, BRONZE], "tiers[1].code", "duplicate"),
        ([tier("a", 0, reward={"sale_percent": "101", "fund_percent": "0"})],
         "tiers[0].reward.sale_percent", "out_of_range"),
        ([tier("a", 0, reward={"sale_percent": "1.234", "fund_percent": "0"})],
         "tiers[0].reward.sale_percent", "too_precise"),
    ],
)  # fmt: skip
async def test_a_wrong_programme_says_where(
    operator: Person, tiers: list[dict[str, object]], field: str, code: str
) -> None:
    answer = await operator.client.post(f"{API}/programmes", json=programme(*tiers))
    assert answer.status_code == 422
    assert (field, code) in {(one["field"], one["code"]) for one in answer.json()["errors"]}


async def test_wrong_terms_say_where(operator: Person, new_supplier: NewPerson) -> None:
    partner = await new_supplier()
    made = await published(operator)
    for changes, field in (
        ({"partner_type": "service"}, "partner_type"),
        ({"tier": "gold"}, "tier"),
        ({"to": "2020-01-01T00:00:00Z"}, "to"),
        ({"payout": {"asset": "XXZ", "minimum": "1", "hold_days": 1}}, "payout.asset"),
        ({"cpa": {"action": "contract", "amount": {"amount": "0", "currency": "EUR"}}},
         "cpa.amount.amount"),
    ):  # fmt: skip
        answer = await operator.client.post(
            f"{API}/agreements", json=terms(partner, made, **changes)
        )
        assert answer.status_code == 422, answer.text
        assert [one["field"] for one in answer.json()["errors"]] == [field]
    own = terms(operator, made)
    assert (await operator.client.post(f"{API}/agreements", json=own)).status_code == 404
