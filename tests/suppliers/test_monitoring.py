"""What the channel manager monitors: the CSV is the screen, totals follow the hierarchy."""

from __future__ import annotations

import csv
import io

from tests.accounts.test_network import put_under
from tests.answers import ok, refused
from tests.orders.ordering import accepted, claimed
from tests.people import NewPerson, Person, unique
from tests.suppliers.partnering import API, days, partnered


async def test_the_csv_holds_exactly_the_rows_and_totals_of_the_screen(
    operator: Person, new_buyer: NewPerson, new_supplier: NewPerson
) -> None:
    buyer, one, other = await new_buyer(), await new_supplier(), await new_supplier()
    region = unique("region")
    for partner in (one, other):
        await partnered(operator, partner, region=region)
        await accepted(buyer, partner)
    order = await accepted(buyer, one)
    claim = await claimed(buyer, order)
    ok(await one.client.post(f"{API}/claims/{claim['id']}/moves/uphold"))
    for report in ("sales", "service", "wanted"):
        path = f"{API}/monitor/{report}"
        shown = ok(await operator.client.get(path, params={"region": region}))
        answer = await operator.client.get(path, params={"region": region, "format": "csv"})
        head, *lines = list(csv.reader(io.StringIO(answer.text)))
        assert head == [column["title"] for column in shown["columns"]]
        cells = [[cell or "" for cell in row] for row in [*shown["rows"], *shown["totals"]]]
        assert lines == cells
        assert cells, report
    sales = ok(await operator.client.get(f"{API}/monitor/sales", params={"region": region}))
    assert sales["totals"] == [["Total", None, "EUR", "3", None, "75.00"]], (
        "the claim took half of one order back"
    )
    service = ok(await operator.client.get(f"{API}/monitor/service", params={"region": region}))
    assert service["totals"] == [["Total", None, "3", "1", "33.3"]]
    wanted = ok(await operator.client.get(f"{API}/monitor/wanted", params={"region": region}))
    assert [row[1:] for row in wanted["rows"]] == [
        ["Pump", "C62", "EUR", "36", "72.00", "2"],
        ["Seal", "C62", "EUR", "9", "18.00", "2"],
    ]
    whole = await claimed(buyer, order, severity_bp=10_000)
    ok(await one.client.post(f"{API}/claims/{whole['id']}/moves/uphold"))
    sales = ok(await operator.client.get(f"{API}/monitor/sales", params={"region": region}))
    assert sales["totals"] == [["Total", None, "EUR", "2", None, "60.00"]]
    service = ok(await operator.client.get(f"{API}/monitor/service", params={"region": region}))
    assert service["totals"] == [["Total", None, "3", "1", "33.3"]], "accepted all the same"
    early = {"region": region, "to": days(-1), "from": days(-2)}
    assert ok(await operator.client.get(f"{API}/monitor/sales", params=early))["rows"] == []
    reversed_ = {"from": days(-1), "to": days(-2)}
    answer = await operator.client.get(f"{API}/monitor/sales", params=reversed_)
    refused(answer, 422, "reversed_period")
    refused(await one.client.get(f"{API}/monitor/sales"), 403, "operator_only")


async def test_totals_add_up_along_the_hierarchy_and_follow_a_move(
    operator: Person, new_buyer: NewPerson, new_supplier: NewPerson
) -> None:
    buyer = await new_buyer()
    root, middle, leaf, other = [await new_supplier() for _ in range(4)]
    for partner in (root, middle, leaf):
        await partnered(operator, partner)
        await accepted(buyer, partner)
    ok(await put_under(operator, leaf, middle))
    ok(await put_under(operator, middle, root))

    async def totals(person: Person) -> dict[str, str]:
        path = f"{API}/organisations/{person.organisation_id}/subtree"
        return {node["id"]: node["total"] for node in ok(await person.client.get(path))["items"]}

    ids = [str(one.organisation_id) for one in (root, middle, leaf)]
    assert await totals(root) == dict(zip(ids, ("90", "60", "30"), strict=True))
    under = {"under": str(middle.organisation_id)}
    shown = ok(await operator.client.get(f"{API}/monitor/sales", params=under))
    assert shown["totals"] == [["Total", None, "EUR", "2", None, "60.00"]]
    ok(await put_under(operator, middle, other))
    assert await totals(root) == {ids[0]: "30"}
    assert (await totals(other))[str(other.organisation_id)] == "60"
    foreign = f"{API}/organisations/{root.organisation_id}/subtree"
    assert (await middle.client.get(foreign)).status_code == 404
    wrong = await root.client.get(foreign, params={"measure": "wishes"})
    refused(wrong, 422, "invalid")
