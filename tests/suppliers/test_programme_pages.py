"""The programme's pages: one for both sides of an agreement, a desk, plans and reports."""

from __future__ import annotations

from tests.orders.ordering import accepted
from tests.people import NewPerson, Person, unique
from tests.suppliers.partnering import partnered, planned


async def page(person: Person, path: str, status: int = 200) -> str:
    answer = await person.client.get(path)
    assert answer.status_code == status, answer.text[:500]
    return answer.text


async def send(person: Person, path: str, **fields: str) -> int:
    answer = await person.client.post(path, data={"x": "", **fields})
    return answer.status_code


async def test_the_channel_manager_approves_on_the_page_that_the_partner_reads(
    operator: Person, new_buyer: NewPerson, new_supplier: NewPerson
) -> None:
    buyer, partner = await new_buyer(), await new_supplier()
    assert "No agreement yet" in await page(partner, "/programme")
    agreement = await partnered(operator, partner)
    path = f"/programme/{agreement['id']}"
    early = await page(partner, "/programme")
    assert "Tier: none yet" in early
    assert "20 to go" in early
    await accepted(buyer, partner)
    shown = await page(operator, path)
    assert "The figures reach the tier bronze." in shown
    assert "Spare pumps" in shown, "the fact behind the figure"
    assert "Approve" not in await page(partner, path)
    assert await send(operator, f"{path}/tier", tier="silver") == 409
    assert await send(operator, f"{path}/tier", tier="bronze") == 303
    late = await page(partner, "/programme")
    assert "Tier: bronze" in late
    assert "2.50 %" in late
    assert partner.name in await page(operator, "/programme")
    assert await send(partner, f"{path}/tier", tier="bronze") == 403


async def test_a_plan_is_proposed_and_agreed_on_its_page(
    operator: Person, new_supplier: NewPerson
) -> None:
    partner = await new_supplier()
    agreement = await partnered(operator, partner)
    plan = await planned(operator, agreement)
    path = f"/programme/plans/{plan['id']}"
    await page(partner, path, 404)
    assert "Propose this plan" in await page(operator, path)
    assert await send(operator, f"{path}/propose") == 303
    assert "Agree to this plan" not in await page(operator, path)
    assert "Agree to this plan" in await page(partner, path)
    assert await send(partner, f"{path}/agree") == 303
    assert "Your plan" in await page(partner, "/programme")


async def test_the_report_on_the_page_is_the_one_of_the_csv(
    operator: Person, new_buyer: NewPerson, new_supplier: NewPerson
) -> None:
    buyer, partner, region = await new_buyer(), await new_supplier(), unique("region")
    await partnered(operator, partner, region=region)
    await accepted(buyer, partner)
    shown = await page(operator, f"/programme/reports/sales?region={region}")
    assert partner.name in shown
    assert "30.00" in shown
    assert f"/api/v1/monitor/sales?format=csv&amp;region={region}" in shown
    await page(partner, "/programme/reports/sales", 403)
