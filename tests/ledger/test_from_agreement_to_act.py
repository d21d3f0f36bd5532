"""The whole way of money over HTTP: an agreement, orders, a claim, payouts, a reopened order, an
act. Both sides read the same at each step.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from marketplace.kernel.clock import Clock
from marketplace.kernel.db import Database
from marketplace.ledger.acts.jobs import work_act_runs
from tests.answers import ok, refused
from tests.ledger.test_payouts import paid, propose
from tests.orders.ordering import accepted, act, claimed, line
from tests.people import Connect, NewPerson, Person, peer
from tests.suppliers.partnering import TYPE, drafted, parameter, published, read, tier
from tests.suppliers.partnering import act as agreement_act

CURRENCY = "THB"
"""A run takes what is due to everybody; nobody else's tests earn baht."""
GOLD = tier(
    "gold",
    10,
    parameter("sales", "1000.00", 10),
    reward={"sale_percent": "10", "fund_percent": "3", "points_per_major": "2"},
)


@pytest.fixture(scope="module")
async def checker(operator: Person, connect_client: Connect) -> Person:
    return await peer(connect_client, operator, "channel_manager")


async def agreed(operator: Person, partner: Person) -> dict[str, Any]:
    """Active terms: 10 % at once, at least 50 a payout."""
    made = await published(operator, GOLD, currency=CURRENCY)
    payout = {"asset": CURRENCY, "minimum": "50.00", "hold_days": 0}
    agreement = await drafted(
        operator, partner, made=made, partner_type=TYPE, tier="gold", payout=payout
    )
    active: dict[str, Any] = ok(await agreement_act(operator, agreement, "activate"))
    return active


async def sold(buyer: Person, partner: Person, amount: str) -> dict[str, Any]:
    price = {"amount": amount, "currency": CURRENCY}
    lines = [line(quantity="1", price=price, price_unit="1")]
    return await accepted(buyer, partner, currency=CURRENCY, lines=lines)


async def earned(person: Person, partner: Person) -> list[tuple[str, str, str]]:
    """(kind, amount, state) in the order of the ledger."""
    params = {"sort": "number", "partner": str(partner.organisation_id)}
    rows = ok(await person.client.get("/api/v1/accruals", params=params))["items"]
    return [(row["kind"], row["amount"], row["state"]) for row in rows]


async def commissions(person: Person, partner: Person) -> list[tuple[str, str]]:
    rows = await earned(person, partner)
    return [(amount, state) for kind, amount, state in rows if kind == "commission"]


async def released(operator: Person, checker: Person) -> dict[str, Any]:
    """The run, and its only payout, approved."""
    run = await propose(operator, CURRENCY)
    path = f"/api/v1/payout_runs/{run['id']}/approve"
    refused(await operator.client.post(path), 403, "maker_is_checker")
    return ok(await checker.client.post(path))


async def test_money_from_an_agreement_to_an_act(
    operator: Person,
    checker: Person,
    new_buyer: NewPerson,
    new_supplier: NewPerson,
    database: Database,
) -> None:
    buyer, partner = await new_buyer(), await new_supplier()
    agreement = await agreed(operator, partner)

    # An accepted order earns by the terms of its time, for both sides to read.
    order = await sold(buyer, partner, "1000.00")
    assert await earned(partner, partner) == [
        ("commission", "100.00", "payable"),
        ("fund_credit", "30.00", "credited"),
        ("points", "2000", "credited"),
    ]
    assert await earned(operator, partner) == await earned(partner, partner)
    [*_, first] = (await read(partner, "accruals"))["items"]
    assert first["source"] == {"kind": "order", "id": order["id"], "title": "Spare pumps"}
    assert (first["rule"]["kind"], first["rule"]["version"]) == ("agreement", 1)
    assert "tier gold: 10 % commission" in first["rule"]["text"]
    entry = await read(partner, f"ledger/entries/{first['entry_id']}")
    assert await read(operator, f"ledger/entries/{first['entry_id']}") == entry
    assert [posting["amount"] for posting in entry["postings"]] == ["-100.00", "100.00"]

    # An upheld claim takes its part back of the sale, of what it earned, and of the figures.
    claim = await claimed(buyer, order, severity_bp=2_500)
    ok(await partner.client.post(f"/api/v1/claims/{claim['id']}/moves/uphold"))
    assert await commissions(partner, partner) == [("100.00", "payable"), ("-25.00", "payable")]
    standing = await read(partner, f"agreements/{agreement['id']}/standing")
    assert [value["value"] for value in standing["values"]] == ["750"]

    # Two people pay it out.
    run = await released(operator, checker)
    [payout] = run["payouts"]
    assert payout["amount"] == {"amount": "75.00", "currency": CURRENCY}
    assert payout["last"] is None
    params = {"format": "csv"}
    path = f"/api/v1/payout_runs/{run['id']}/export"
    assert ",75.00," in (await operator.client.get(path, params=params)).text
    await paid(checker, payout)
    of_payout = await read(partner, f"accruals?payout={payout['id']}&sort=number")
    assert [item["amount"] for item in of_payout["items"]] == ["100.00", "-25.00"]

    # Reopened after it was paid: what is left is owed back, and carried over while it is negative.
    ok(await act(buyer, order, "reopen", reason="The wrong ones"))
    assert (await commissions(partner, partner))[2:] == [("-75.00", "payable")]
    empty = await propose(operator, CURRENCY)
    assert empty["payouts"] == []
    assert [row["amount"]["amount"] for row in empty["carried"]] == ["-75.00"]
    ok(await operator.client.post(f"/api/v1/payout_runs/{empty['id']}/cancel"))

    # The next sales pay it off; below the minimum it is carried over still.
    await sold(buyer, partner, "1000.00")
    [carried] = (await propose(operator, CURRENCY, dry_run=True))["carried"]
    assert (carried["amount"]["amount"], carried["minimum"]["amount"]) == ("25.00", "50.00")
    await sold(buyer, partner, "500.00")
    again = await released(operator, checker)
    [second] = again["payouts"]
    assert (second["amount"]["amount"], second["last"]["amount"]) == ("75.00", "75.00")
    assert again["before"]["number"] == run["number"]

    # The bank refuses: the same items are payable again and enter the next run.
    failed = {"reason": "Account closed"}
    ok(await checker.client.post(f"/api/v1/payouts/{second['id']}/failed", json=failed))
    third = await released(operator, checker)
    assert third["payouts"][0]["amount"]["amount"] == "75.00"
    await paid(checker, third["payouts"][0])
    states = {state for _, state in await commissions(partner, partner)}
    assert states == {"paid"}

    # The act of the month holds exactly what the ledger says, and is answered by the partner.
    body = {"period": f"{datetime.now(UTC):%Y-%m}"}
    ok(await operator.client.post("/api/v1/act_runs", json=body), 202)
    await work_act_runs(database, Clock())
    [row] = (await read(partner, "acts"))["items"]
    shown = await read(operator, f"acts/{row['id']}")
    assert await read(partner, f"acts/{row['id']}") == shown
    assert shown["total"] == {"amount": "150.00", "currency": CURRENCY}
    lines = [item["amount"]["amount"] for item in shown["lines"]]
    assert lines == [amount for amount, _ in await commissions(partner, partner)]
    assert {item["source"]["title"] for item in shown["lines"]} == {"Spare pumps"}
    assert (await partner.client.get(f"/api/v1/acts/{row['id']}.pdf")).content[:5] == b"%PDF-"
    answer = await partner.client.post(
        f"/api/v1/acts/{row['id']}/dispute", json={"reason": "One is missing"}
    )
    assert ok(answer)["state"] == "disputed"
    assert ok(await partner.client.post(f"/api/v1/acts/{row['id']}/accept"))["state"] == "accepted"


async def test_without_an_agreement_a_sale_counts_but_earns_nothing(
    operator: Person, new_buyer: NewPerson, new_supplier: NewPerson
) -> None:
    buyer, partner = await new_buyer(), await new_supplier()
    order = await sold(buyer, partner, "1000.00")
    assert await earned(partner, partner) == []
    claim = await claimed(buyer, order, severity_bp=5_000)
    ok(await partner.client.post(f"/api/v1/claims/{claim['id']}/moves/uphold"))
    agreement = await agreed(operator, partner)
    standing = await read(partner, f"agreements/{agreement['id']}/standing")
    assert [value["value"] for value in standing["values"]] == ["500"]
    assert await earned(partner, partner) == []


async def test_terms_of_billing_are_the_partners_own(
    operator: Person, new_supplier: NewPerson
) -> None:
    partner, other = await new_supplier(), await new_supplier()
    refused(await partner.client.get("/api/v1/billing"), 404, "not_found")
    body = {"self_billing": True, "language": "pl"}
    assert ok(await partner.client.put("/api/v1/billing", json=body)) == body
    assert await read(partner, "billing") == body
    refused(await other.client.get("/api/v1/billing"), 404, "not_found")
    changed = ok(await partner.client.put("/api/v1/billing", json={"self_billing": False}))
    assert changed == {"self_billing": False, "language": "en"}
    for wrong in ({"self_billing": True, "language": "fr"}, {}, body | {"days": 3}):
        answer = await partner.client.put("/api/v1/billing", json=wrong)
        assert answer.status_code == 422, answer.text
    assert await read(partner, "billing") == changed
