"""Payout runs over HTTP: two people, minimum, failure, exports that are the same each time."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from lxml import etree

from marketplace.kernel.clock import Clock
from marketplace.kernel.db import SYSTEM, Database
from marketplace.kernel.ids import new_id
from marketplace.ledger import jobs
from marketplace.ledger.accruing import NewAccrual, accrue
from marketplace.ledger.payouts import exports, service
from marketplace.ledger.posting import Source
from tests.answers import ok, refused
from tests.auctions.tenders.test_notices import mails
from tests.ledger.partners import RULE
from tests.people import Connect, NewPerson, Person, colleague, peer

URL = "/api/v1/payout_runs"
CURRENCIES = iter(["BBD", "BSD", "BZD", "FJD", "GYD", "JMD", "KYD", "LRD", "NAD", "SBD", "SRD"])
"""A run takes what is due to everybody; a currency of its own keeps each test alone."""
IBAN = "DE89370400440532013000"
_numbers = count(1)


@pytest.fixture
def currency() -> str:
    return next(CURRENCIES)


@pytest.fixture(scope="module")
async def checker(operator: Person, connect_client: Connect) -> Person:
    """A second person of the operator whom the first did not bring in."""
    return await peer(connect_client, operator, "channel_manager")


async def earn(
    database: Database, partner: Person, amount: int, currency: str, **changes: Any
) -> None:
    new = {
        "once": f"payout test {next(_numbers)} {new_id()}",
        "kind": "commission",
        "beneficiary_id": partner.organisation_id,
        "currency": currency,
        "amount": amount,
        "source": Source("order", str(new_id())),
        "rule": RULE,
        "at": datetime(2026, 1, 1, tzinfo=UTC),
    } | changes
    async with database.transaction(SYSTEM) as session:
        await accrue(session, NewAccrual(**new))


async def propose(maker: Person, currency: str, **changes: Any) -> dict[str, Any]:
    body = {"until": Clock().now().isoformat(), "currency": currency} | changes
    run: dict[str, Any] = ok(await maker.client.post(URL, json=body), 201)
    return run


async def approved(maker: Person, checker: Person, currency: str) -> dict[str, Any]:
    run = await propose(maker, currency)
    return ok(await checker.client.post(f"{URL}/{run['id']}/approve"))


async def paid(person: Person, payout: dict[str, Any]) -> dict[str, Any]:
    body = {"at": Clock().now().isoformat(), "reference": "BANK-1"}
    return ok(await person.client.post(f"/api/v1/payouts/{payout['id']}/paid", json=body))


async def states(partner: Person) -> list[str]:
    rows = ok(await partner.client.get("/api/v1/accruals", params={"sort": "number"}))["items"]
    return [row["state"] for row in rows]


async def test_what_is_due_is_proposed_released_and_paid(
    operator: Person, checker: Person, new_supplier: NewPerson, database: Database, currency: str
) -> None:
    partner = await new_supplier()
    await earn(database, partner, 10_000, currency)
    await earn(database, partner, -2_500, currency)
    await earn(database, partner, 700, currency, at=Clock().now(), hold_days=30)
    assert await states(partner) == ["payable", "payable", "held"]
    run = await propose(operator, currency)
    [payout] = run["payouts"]
    assert payout["amount"] == {"amount": "75.00", "currency": currency}
    assert (payout["items"], payout["state"]) == (2, "proposed")
    assert run["totals"] == [{"currency": currency, "amount": payout["amount"], "count": 1}]
    assert await states(partner) == ["in_payout", "in_payout", "held"]
    run = ok(await checker.client.post(f"{URL}/{run['id']}/approve"))
    assert (run["state"], run["payouts"][0]["state"]) == ("approved", "approved")
    await jobs.announce_payouts(database, Clock())
    await jobs.announce_payouts(database, Clock())
    assert await mails(database, partner, "payout.approved") == [
        f"Payout released: 75.00 {currency}"
    ]
    shown = await paid(checker, payout)
    assert (shown["state"], shown["reference"]) == ("paid", "BANK-1")
    assert await states(partner) == ["paid", "paid", "held"]
    assert await mails(database, partner, "payment.made") == [f"Paid: 75.00 {currency}"]
    assert ok(await partner.client.get(f"/api/v1/payouts/{payout['id']}")) == shown
    accounts = ok(await partner.client.get("/api/v1/ledger/accounts"))["items"]
    balances = {account["kind"]: account["balance"] for account in accounts}
    assert balances == {"paid": "75.00", "payable": "7.00"}


async def test_both_sides_see_the_same_entry_with_its_rule(
    operator: Person, new_supplier: NewPerson, database: Database, currency: str
) -> None:
    partner = await new_supplier()
    await earn(database, partner, 500, currency)
    [accrual] = ok(await partner.client.get("/api/v1/accruals"))["items"]
    path = f"/api/v1/ledger/entries/{accrual['entry_id']}"
    entry = ok(await partner.client.get(path))
    assert ok(await operator.client.get(path)) == entry
    assert entry["rule"] == {"kind": RULE.kind, "version": RULE.version, "text": RULE.text}
    assert [line["amount"] for line in entry["postings"]] == ["-5.00", "5.00"]
    [account] = ok(await partner.client.get("/api/v1/ledger/accounts"))["items"]
    listed = await partner.client.get(f"/api/v1/ledger/accounts/{account['id']}/entries")
    assert ok(listed)["items"] == [entry]


async def test_neither_the_maker_nor_whom_the_maker_invited_releases(
    operator: Person,
    checker: Person,
    connect_client: Connect,
    new_supplier: NewPerson,
    database: Database,
    currency: str,
) -> None:
    await earn(database, await new_supplier(), 500, currency)
    run = await propose(operator, currency)
    path = f"{URL}/{run['id']}/approve"
    refused(await operator.client.post(path), 403, "maker_is_checker")
    puppet = await colleague(connect_client, operator, "channel_manager")
    refused(await puppet.client.post(path), 403, "not_independent")
    [payout] = run["payouts"]
    one = await operator.client.post(f"/api/v1/payouts/{payout['id']}/approve")
    refused(one, 403, "maker_is_checker")
    early = {"at": Clock().now().isoformat(), "reference": "X"}
    answer = await checker.client.post(f"/api/v1/payouts/{payout['id']}/paid", json=early)
    refused(answer, 409, "undefined_transition")
    ok(await checker.client.post(path))
    refused(await checker.client.post(path), 409, "undefined_transition")


async def test_below_the_minimum_and_negative_sums_are_carried_over(
    operator: Person, new_supplier: NewPerson, database: Database, currency: str
) -> None:
    poor, owing = await new_supplier(), await new_supplier()
    await earn(database, poor, 4_999, currency)
    await earn(database, owing, -100, currency)
    async with database.transaction(SYSTEM) as session:
        await service.set_payout_terms(session, poor.organisation_id, currency, 5_000)
    planned = await propose(operator, currency, dry_run=True)
    assert (planned["id"], planned["state"], planned["payouts"]) == (None, "dry_run", [])
    run = await propose(operator, currency)
    assert run["payouts"] == []
    carried = {row["partner_id"]: row["amount"]["amount"] for row in run["carried"]}
    assert carried == {str(poor.organisation_id): "49.99", str(owing.organisation_id): "-1.00"}
    await earn(database, poor, 1, currency)
    [payout] = (await propose(operator, currency))["payouts"]
    assert payout["amount"]["amount"] == "50.00"


async def test_a_failed_payout_is_payable_again(
    operator: Person, checker: Person, new_supplier: NewPerson, database: Database, currency: str
) -> None:
    partner = await new_supplier()
    await earn(database, partner, 10_000, currency)
    [payout] = (await approved(operator, checker, currency))["payouts"]
    failed = await checker.client.post(
        f"/api/v1/payouts/{payout['id']}/failed", json={"reason": "Account closed"}
    )
    assert (ok(failed)["state"], ok(failed)["failure"]) == ("failed", "Account closed")
    assert await states(partner) == ["payable"]
    assert len(await mails(database, partner, "payment.failed")) == 1
    [again] = (await approved(operator, checker, currency))["payouts"]
    assert again["amount"] == payout["amount"]
    await paid(checker, again)
    assert await states(partner) == ["paid"]


async def test_a_cancelled_run_pays_nothing(
    operator: Person, new_supplier: NewPerson, database: Database, currency: str
) -> None:
    partner = await new_supplier()
    await earn(database, partner, 10_000, currency)
    run = await propose(operator, currency)
    run = ok(await operator.client.post(f"{URL}/{run['id']}/cancel"))
    assert (run["state"], run["totals"]) == ("cancelled", [])
    assert await states(partner) == ["payable"]


async def test_two_runs_at_once_pay_everything_once(
    operator: Person, new_supplier: NewPerson, database: Database, currency: str
) -> None:
    partners = [await new_supplier() for _ in range(3)]
    for partner in partners:
        for amount in (100, 200):
            await earn(database, partner, amount, currency)
    runs = await asyncio.gather(*(propose(operator, currency) for _ in range(6)))
    assert sum(len(run["payouts"]) for run in runs) == 3
    numbers = sorted(run["number"] for run in runs)
    assert numbers == list(range(numbers[0], numbers[0] + 6))


async def test_exports_have_control_totals_and_the_same_bytes_each_time(
    operator: Person, checker: Person, new_supplier: NewPerson, database: Database, currency: str
) -> None:
    partners = [await new_supplier() for _ in range(3)]
    for number, partner in enumerate(partners, start=1):
        await earn(database, partner, 1_000 * number, currency)
    run = await propose(operator, currency)
    path = f"{URL}/{run['id']}/export"
    refused(await operator.client.get(path, params={"format": "csv"}), 409, "not_approved")
    run = ok(await checker.client.post(f"{URL}/{run['id']}/approve"))
    first = await operator.client.get(path, params={"format": "csv"})
    rows = list(csv.DictReader(io.StringIO(first.text)))
    assert [row["amount"] for row in rows] == ["10.00", "20.00", "30.00", "60.00"]
    assert (rows[-1]["payout_id"], rows[-1]["number"]) == ("total", "3")
    lines = await operator.client.get(path, params={"format": "jsonl"})
    control = json.loads(lines.text.splitlines()[-1])
    assert control == {
        "type": "control",
        "count": 3,
        "totals": [{"currency": currency, "count": 3, "sum": "60.00"}],
    }
    refused(await operator.client.get(path), 409, "bank_account_missing")
    await checker.client.post(
        f"/api/v1/payouts/{run['payouts'][0]['id']}/failed", json={"reason": "Closed"}
    )
    assert (await operator.client.get(path, params={"format": "csv"})).content == first.content


async def test_a_sepa_file_is_valid_and_says_who_gets_what(
    operator: Person, checker: Person, new_supplier: NewPerson, database: Database
) -> None:
    """Other tests have no euro due at this time."""
    partner = await new_supplier("Żółw & Söhne")
    await partner.reauthenticate()
    account = {"holder": "Żółw & Söhne", "iban": "DE89 3704 0044 0532 0130 00"}
    shown = ok(await partner.client.put("/api/v1/bank_account", json=account))
    assert shown["iban"] == IBAN
    bad = await partner.client.put(
        "/api/v1/bank_account", json=account | {"iban": "DE89370400440532013001"}
    )
    refused(bad, 422, "malformed_iban")
    await operator.reauthenticate()
    own = {"holder": "The Operator", "iban": "FR1420041010050500013M02606"}
    ok(await operator.client.put("/api/v1/bank_account", json=own))
    old = datetime(2001, 1, 1, tzinfo=UTC)
    await earn(database, partner, 123_456, "EUR", at=old)
    until = (old + timedelta(days=1)).isoformat()
    run = await propose(operator, "EUR", until=until)
    assert [payout["iban"] for payout in run["payouts"]] == [IBAN]
    ok(await checker.client.post(f"{URL}/{run['id']}/approve"))
    first = await operator.client.get(f"{URL}/{run['id']}/export")
    assert first.status_code == 200, first.text
    document = etree.fromstring(first.content)
    exports.schema().assertValid(document)
    names = {"p": exports.NAMESPACE}
    assert document.findtext(".//p:GrpHdr/p:CtrlSum", namespaces=names) == "1234.56"
    assert document.findtext(".//p:GrpHdr/p:NbOfTxs", namespaces=names) == "1"
    assert document.findtext(".//p:CdtrAcct/p:Id/p:IBAN", namespaces=names) == IBAN
    assert document.findtext(".//p:DbtrAcct/p:Id/p:IBAN", namespaces=names) == own["iban"]
    again = await operator.client.get(f"{URL}/{run['id']}/export")
    assert again.content == first.content


async def test_only_the_operators_people_pay(new_supplier: NewPerson) -> None:
    partner = await new_supplier()
    body = {"until": "2026-01-01T00:00:00Z"}
    answer = await partner.client.post(URL, json=body)
    assert answer.status_code == 403
    unknown = {"until": "2026-01-01T00:00:00Z", "untill": 1}
    assert (await partner.client.post(URL, json=unknown)).status_code in (403, 422)
