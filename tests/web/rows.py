"""Several rows of every list of the API, for somebody to read."""

from __future__ import annotations

from typing import Any

import msgspec

from marketplace.kernel.clock import Clock
from marketplace.kernel.db import Database
from pricing.imports.run import work_imports
from tests.answers import ok
from tests.auctions.live.arena import new_arena, peer
from tests.auctions.tenders.tendering import act, draft
from tests.auctions.tenders.test_awards import offered, propose
from tests.auctions.tenders.test_dossier import PDF, upload
from tests.orders.ordering import PNG, accepted, basket, claimed, confirm, deliver, line
from tests.people import Connect, NewPerson, Person, log_in, unique
from tests.ratings.test_api import WEIGHTS
from tests.security.world import Dealing, new_dealing
from tests.suppliers import partnering

API = "/api/v1"
_GIZMO = unique("gizmo")
_LADDERS = f"""sku,name,unit,currency,price,min_quantity,valid_from,valid_to
A-1,{_GIZMO} of steel,C62,EUR,10.00,1,2020-01-01,2020-12-31
A-1,{_GIZMO} of steel,C62,EUR,11.00,1,2021-01-01,
A-1,{_GIZMO} of steel,C62,EUR,9.00,100,,
B-2,,C62,EUR,12.00,1,,
C-3,Valve,C62,EUR,2.50,1,,
"""
_NEXT = """sku,name,unit,currency,price
B-2,,C62,EUR,12.50
C-3,Valve,C62,EUR,2.60
D-4,Seal,C62,EUR,1.00
E-5,Bolt,C62,EUR,0.10
"""


class Rows(msgspec.Struct, frozen=True, kw_only=True):
    """ids    of the objects in the paths of lists, such as `order_id`
    by_path  where one list needs another object than the rest
    query    what a list cannot be read without
    people   who may be asked for rows
    """

    ids: dict[str, str]
    by_path: dict[str, dict[str, str]]
    query: dict[str, dict[str, str]]
    people: list[Person]


async def new_rows(
    url: str,
    operator: Person,
    new_buyer: NewPerson,
    new_supplier: NewPerson,
    connect: Connect,
    database: Database,
) -> Rows:
    made = await new_dealing(new_buyer, new_supplier, connect, database, operator)
    bidder, auction_id = await _auction(url, new_buyer, new_supplier)
    awarded = await _tenders(made, new_supplier, database)
    await _account(made, connect)
    await _catalogue(made, operator)
    list_id, import_id = await _prices(made, bidder, database)
    await _orders(made)
    await _ratings(made, new_buyer, new_supplier)
    agreement_id = await _programme(made, operator, new_supplier)
    item_id, supplier_id = made.ids["item_id"], made.ids["supplier_id"]
    return Rows(
        ids=made.ids
        | {"list_id": list_id, "import_id": import_id, "auction_id": auction_id}
        | {"agreement_id": agreement_id, "scheme": "LISTED"},
        by_path={
            "/api/v1/tenders/{tender_id}/history": {"tender_id": awarded},
            "/api/v1/tenders/{tender_id}/offers": {"tender_id": awarded},
        },
        query={"/api/v1/prices/history": {"item": item_id, "supplier": supplier_id}},
        people=[made.buyer, made.supplier, operator, bidder],
    )


async def _auction(url: str, new_buyer: NewPerson, new_supplier: NewPerson) -> tuple[Person, str]:
    """A bidder with receipts, and its auction."""
    place = await new_arena(url, new_buyer, new_supplier, 1)
    async with peer(place.live_url, place.keys[0]) as one:
        await one.open()
        for number in range(4):
            await one.bid(f"bid-{number}", f"{400_000 - 1_000 * number}.00")
    return place.suppliers[0], place.auction_id


async def _tenders(made: Dealing, new_supplier: NewPerson, database: Database) -> str:
    """The rest of the dossier of the world's tender; another tender, in awarding."""
    buyer, supplier, tender_id = made.buyer, made.supplier, made.ids["tender_id"]
    await draft(buyer)
    for number in range(3):
        ok(await upload(buyer, tender_id, PDF, name=f"plan-{number}.pdf"), 201)
        ok(await act(supplier, tender_id, "questions", text=f"Which seal, {number}?"), 201)
        ok(await act(buyer, tender_id, "addenda", text=f"Addendum {number}"), 201)
    await _assign(made, f"{API}/tenders/{tender_id}")
    prices = {"200000.00": supplier, "210000.00": made.rival, "220000.00": await new_supplier()}
    done = await offered(database, buyer, prices)
    shares = ((supplier, "60"), (made.rival, "40"))
    lot_id = done["lots"][0]["id"]
    ok(await propose(buyer, lot_id, *shares, reason="Two sources"), 201)
    return str(done["id"])


async def _assign(made: Dealing, path: str) -> None:
    colleagues = (made.supplier, made.supplier_observer, made.employee)
    users = [str(person.user_id) for person in colleagues]
    ok(await made.supplier.client.put(f"{path}/assignees", json={"users": users}))


async def _account(made: Dealing, connect: Connect) -> None:
    buyer = made.buyer
    for number in range(2):
        await log_in(msgspec.structs.replace(buyer, client=connect()))
        await buyer.api_key("orders:read")
        invited = {"email": f"{unique('invited')}@example.com", "roles": ["observer"]}
        ok(await buyer.client.post(f"{API}/invitations", json=invited), 201)
        hook = {"url": f"https://hooks.example.com/{number}", "events": ["order.placed"]}
        ok(await buyer.client.post(f"{API}/endpoints", json=hook), 201)
        tested = f"{API}/endpoints/{made.ids['endpoint_id']}/test"
        ok(await buyer.client.post(tested), 201)


async def _catalogue(made: Dealing, operator: Person) -> None:
    supplier, keeper = made.supplier.client, operator.client
    for name in (f"{_GIZMO} of steel", f"{_GIZMO} of brass", f"{_GIZMO} of wood"):
        item = {"name": name, "unit": "C62", "sku": unique("listed")}
        ok(await supplier.post(f"{API}/items", json=item), 201)
        ok(await keeper.post(f"{API}/categories", json={"name": unique("listed")}), 201)
    names = {"10": "Machines", "20": "Fluids", "30": "Metals", "40": "Machines"}
    ok(await keeper.put(f"{API}/classifications/LISTED/1", json=names))
    for sku in ("X-1", "X-2", "X-3"):
        decision = {"sku": sku, "item_id": made.ids["item_id"]}
        ok(await supplier.post(f"{API}/sku_mappings", json=decision))
    rates = [
        {"base": base, "quote": quote, "rate": rate, "on_date": "2020-01-01"}
        for base, quote, rate in (
            ("MNT", "LAK", "6.4"),
            ("MNT", "KHR", "1.2"),
            ("LAK", "KHR", "10"),
        )
    ]
    ok(await keeper.post(f"{API}/exchange_rates", json={"rates": rates}), 201)


async def _prices(made: Dealing, bidder: Person, database: Database) -> tuple[str, str]:
    """A list of several versions and the upload of its second one. The world's item is sold by
    three suppliers, by one of them in three steps.
    """
    new = {"name": unique("wide"), "priority": 7}
    list_id = str(ok(await made.supplier.client.post(f"{API}/price_lists", json=new), 201)["id"])
    await _publish(made.supplier, list_id, _LADDERS, database)
    import_id = await _publish(made.supplier, list_id, _NEXT, database)
    proposing = {"price_list_id": list_id}
    ok(await made.supplier.client.post(f"{API}/sku_mappings/propose", json=proposing))
    item = ok(await made.supplier.client.get(f"{API}/items/{made.ids['item_id']}"))
    header = "sku,unit,currency,price,min_quantity\n"
    steps = "".join(f"{item['sku']},C62,EUR,{10 - n}.00,{10**n}\n" for n in range(3))
    await _publish(made.supplier, list_id, header + steps, database)
    unpublished = {"name": unique("unpublished")}
    waiting = ok(await made.supplier.client.post(f"{API}/price_lists", json=unpublished), 201)
    begin = {"price_list_id": waiting["id"], "format": "csv"}
    ok(await made.supplier.client.post(f"{API}/price_imports", json=begin), 201)
    for person in (made.rival, bidder):
        other = {"name": unique("other")}
        other_id = ok(await person.client.post(f"{API}/price_lists", json=other), 201)["id"]
        await _publish(person, other_id, header + f"{item['sku']},C62,EUR,8.00,1\n", database)
    return list_id, import_id


async def _publish(person: Person, list_id: str, content: str, database: Database) -> str:
    begin = {"price_list_id": list_id, "format": "csv"}
    begun = ok(await person.client.post(f"{API}/price_imports", json=begin), 201)
    path = f"{API}/price_imports/{begun['id']}"
    ok(await person.client.put(f"{path}/content", content=content.encode()))
    await work_imports(database, Clock())
    shown = ok(await person.client.get(path))
    assert shown["state"] == "published", shown
    return str(begun["id"])


async def _orders(made: Dealing) -> None:
    """Three of the same, so that the fourth is suggested; each with a claim."""
    buyer, supplier, order_id = made.buyer, made.supplier, made.ids["order_id"]
    lines: list[dict[str, Any]] = [
        line(sku=sku, name=sku, quantity="1") for sku in ("R-1", "R-2", "R-3")
    ]
    for number in range(3):
        body = basket(supplier, title=f"Order {number}", lines=lines)
        order = ok(await buyer.client.post(f"{API}/orders", json=body), 201)
        await confirm(supplier, order)
        ok(await deliver(supplier, order, "1", "1", "1"), 201)
        await claimed(buyer, order, severity_bp=1_000 + number)
        ok(
            await buyer.client.post(
                f"{API}/orders/{order_id}/documents",
                params={"name": f"photo-{number}.png"},
                content=PNG,
                headers={"Content-Type": "image/png"},
            ),
            201,
        )
    await _assign(made, f"{API}/orders/{order_id}")


async def _ratings(made: Dealing, new_buyer: NewPerson, new_supplier: NewPerson) -> None:
    """One supplier rated by the buyer, two not yet; and the supplier by three buyers."""
    often, once = await new_supplier(), await new_supplier()
    for supplier in (often, often, often, once, made.supplier):
        await accepted(made.buyer, supplier)
    for _ in range(2):
        await accepted(await new_buyer(), made.supplier)
    for note in ("Quality", "Price"):
        policy = {"weights": WEIGHTS, "note": note}
        ok(await made.buyer.client.post(f"{API}/rating_policies", json=policy), 201)


async def _programme(made: Dealing, operator: Person, new_supplier: NewPerson) -> str:
    """An agreement that has moved from version to version, with certificates and plans."""
    keeper, tiers = operator.client, [partnering.BRONZE, partnering.SILVER]
    programme = await partnering.published(operator)
    for _ in range(2):
        await partnering.published(operator)
        await partnering.drafted(operator, await new_supplier(), made=programme)
    partner = await new_supplier()
    agreement = await partnering.partnered(operator, partner, made=programme)
    for course in ("Basics", "Sales", "Service"):
        await partnering.certify(operator, partner, agreement, course=course)
    for month in range(3):
        period = {"from": partnering.days(30 * month), "to": partnering.days(30 * month + 29)}
        await partnering.planned(operator, agreement, **period)
    for version in (2, 3, 4):
        path = f"{API}/programmes/{programme['id']}/versions"
        ok(await keeper.post(path, json={"tiers": tiers}), 201)
        ok(await keeper.post(f"{path}/{version}/publish"))
        ok(await partnering.act(operator, agreement, "move", version=version))
    return str(agreement["id"])
