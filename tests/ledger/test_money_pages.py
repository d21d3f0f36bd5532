"""Pages of money for both sides: every amount opens its entry, errors stand at their fields."""

from __future__ import annotations

from typing import Any

import pytest

from marketplace.kernel.clock import Clock
from marketplace.kernel.db import Database
from marketplace.ledger.acts.jobs import work_act_runs
from tests.answers import ok
from tests.ledger.partners import RULE
from tests.ledger.test_acts import earn as earn_in_2012
from tests.ledger.test_payouts import earn
from tests.people import Connect, NewPerson, Person, peer
from tests.suppliers.partnering import TYPE, published
from tests.suppliers.test_programme_pages import page, send

CURRENCIES = iter(["MOP", "PGK", "TOP", "WST", "AWG"])


@pytest.fixture
def currency() -> str:
    return next(CURRENCIES)


@pytest.fixture(scope="module")
async def checker(operator: Person, connect_client: Connect) -> Person:
    return await peer(connect_client, operator, "channel_manager")


async def post(person: Person, path: str, **fields: str) -> tuple[int, str]:
    """(status, page or where it leads)."""
    answer = await person.client.post(path, data={"x": "", **fields})
    return answer.status_code, answer.headers.get("location") or answer.text


async def proposed(operator: Person, currency: str) -> str:
    until = f"{Clock().now():%Y-%m-%dT%H:%M}"
    # The form's time has no seconds; what was just earned is a little later.
    fields = {"until": until, "currency": currency, "offset_min": "-1", "then": "propose"}
    status, path = await post(operator, "/payouts/runs", **fields)
    assert status == 303, path
    return path


async def test_a_partner_opens_every_amount(
    new_supplier: NewPerson, database: Database, currency: str
) -> None:
    partner = await new_supplier()
    assert "Nothing here" in await page(partner, "/ledger")
    await earn(database, partner, 12_345, currency)
    await earn(database, partner, -45, currency)
    shown = await page(partner, "/ledger")
    assert "Owed to you" in shown
    assert "123.00" in shown, "the balance"
    [first, _] = ok(await partner.client.get("/api/v1/accruals?sort=number"))["items"]
    assert f"/ledger/entries/{first['entry_id']}" in shown
    entry = await page(partner, f"/ledger/entries/{first['entry_id']}")
    assert RULE.text in entry
    assert "123.45" in entry
    assert f"version {RULE.version}" in entry
    [account] = ok(await partner.client.get("/api/v1/ledger/accounts"))["items"]
    assert RULE.text in await page(partner, f"/ledger/accounts/{account['id']}")
    assert "No amount is in this state" in await page(partner, "/ledger?state=paid")


async def test_a_run_is_proposed_released_by_another_and_paid_on_pages(
    operator: Person, checker: Person, new_supplier: NewPerson, database: Database, currency: str
) -> None:
    partner, poor = await new_supplier(), await new_supplier()
    await earn(database, partner, 10_000, currency)
    await earn(database, poor, -100, currency)
    fields = {"until": f"{Clock().now():%Y-%m-%dT%H:%M}", "offset_min": "-1", "then": "look"}
    status, planned = await post(operator, "/payouts/runs", currency=currency, **fields)
    assert status == 200
    assert "This run would pay" in planned
    assert partner.name in planned
    status, wrong = await post(operator, "/payouts/runs", currency="XXQ", **fields)
    assert status == 422
    assert "This is no currency." in wrong
    path = await proposed(operator, currency)
    shown = await page(operator, path)
    assert "You proposed this run" in shown
    assert "first payment" in shown
    assert poor.name in shown, "carried over"
    status, refused = await post(operator, f"{path}/approve")
    assert status == 403
    assert "Somebody other than the maker" in refused
    assert await send(checker, f"{path}/approve") == 303
    shown = await page(checker, path)
    assert "/export?format=pain001" in shown
    [payout] = ok(await partner.client.get("/api/v1/payouts"))["items"]
    one = f"/payouts/{payout['id']}"
    status, wrong = await post(checker, f"{one}/paid", at="2026-01-01T00:00", reference="")
    assert status == 422
    assert 'id="reference-error"' in wrong
    assert await send(checker, f"{one}/paid", at="2026-01-01T00:00", reference="B-7") == 303
    assert "B-7" in await page(partner, one)
    assert "B-7" in await page(partner, "/payouts")
    await earn(database, partner, 15_000, currency)
    again = await page(operator, await proposed(operator, currency))
    assert "+50.0 %" in again, "what changed against the last one"
    assert (await partner.client.get(path)).status_code == 403


async def test_a_failed_payout_is_payable_again_on_the_page(
    operator: Person, checker: Person, new_supplier: NewPerson, database: Database, currency: str
) -> None:
    partner = await new_supplier()
    await earn(database, partner, 10_000, currency)
    path = await proposed(operator, currency)
    assert await send(checker, f"{path}/approve") == 303
    [payout] = ok(await partner.client.get("/api/v1/payouts"))["items"]
    one = f"/payouts/{payout['id']}"
    status, wrong = await post(checker, f"{one}/failed")
    assert (status, 'id="reason-error"' in wrong) == (422, True)
    assert await send(checker, f"{one}/failed", reason="Account closed") == 303
    assert "Account closed" in await page(partner, one)
    assert "Payable" in await page(partner, "/ledger?state=payable")


async def test_a_bank_account_is_saved_after_a_password(new_supplier: NewPerson) -> None:
    partner = await new_supplier()
    await partner.reauthenticate()
    fields = {"holder": "Pumps Ltd", "iban": "DE89370400440532013001"}
    status, wrong = await post(partner, "/payouts/bank_account", **fields)
    assert status == 422
    assert 'id="iban-error"' in wrong
    assert 'value="DE89370400440532013001"' in wrong, "what was typed"
    fields["iban"] = "DE89 3704 0044 0532 0130 00"
    assert (await post(partner, "/payouts/bank_account", **fields))[0] == 303
    assert "DE89370400440532013000" in await page(partner, "/payouts")


async def test_an_act_is_answered_on_its_page(
    operator: Person, new_supplier: NewPerson, database: Database
) -> None:
    partner = await new_supplier()
    assert "No acts yet" in await page(partner, "/acts")
    assert (await post(partner, "/acts/billing", self_billing="1", language="ro"))[0] == 303
    await earn_in_2012(database, partner.organisation_id, 4_200)
    status, wrong = await post(operator, "/acts/runs", period="2012")
    assert (status, 'id="period-error"' in wrong) == (422, True)
    status, path = await post(operator, "/acts/runs", period="2012-03")
    assert status == 303
    await work_act_runs(database, Clock())
    assert "archive.zip" in await page(operator, path)
    [act] = ok(await partner.client.get("/api/v1/acts"))["items"]
    one = f"/acts/{act['id']}"
    shown = await page(partner, one)
    assert "Autofactură" in shown
    assert f"{one}.pdf" in shown
    assert f"{one}.xml" in shown
    assert "42.00" in shown
    assert "Accept this act" not in await page(operator, one)
    status, wrong = await post(partner, f"{one}/dispute")
    assert (status, 'id="reason-error"' in wrong) == (422, True)
    assert await send(partner, f"{one}/dispute", reason="Too little") == 303
    assert "Too little" in await page(operator, one)
    assert await send(partner, f"{one}/accept") == 303


async def test_an_agreement_is_made_and_activated_on_pages(
    operator: Person, new_supplier: NewPerson
) -> None:
    partner = await new_supplier()
    made = await published(operator)
    path = f"/programme/new?programme={made['id']}&partner={partner.organisation_id}"
    assert partner.name in await page(operator, path)
    fields: dict[str, Any] = {
        "programme": made["id"],
        "partner": str(partner.organisation_id),
        "partner_type": TYPE,
        "tier": "bronze",
        "begins": "2026-01-01",
        "currency": "EUR",
        "minimum": "50,00",
        "hold_days": "400",
    }
    status, wrong = await post(operator, "/programme/new", **fields)
    assert status == 422
    assert 'id="hold_days-error"' in wrong
    status, wrong = await post(
        operator, "/programme/new", **fields | {"hold_days": "7", "ends": "2025-01-01"}
    )
    assert (status, 'id="ends-error"' in wrong) == (422, True)
    status, path = await post(operator, "/programme/new", **fields | {"hold_days": "7"})
    assert status == 303, path
    draft = await page(operator, path)
    assert "Activate" in draft
    assert "50.00" in draft
    assert await send(operator, f"{path}/life/activate") == 303
    assert "Tier: bronze" in await page(partner, "/programme")
    assert await send(operator, f"{path}/life/activate") == 409
    assert await send(partner, f"{path}/life/end") == 403
    assert "Make the first one" not in await page(operator, "/programme")
