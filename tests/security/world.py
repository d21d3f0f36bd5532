"""One of everything, made through the public API: what a buyer and its supplier keep between them
and each alone.
"""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.kernel.actor import Actor
from marketplace.kernel.clock import Clock
from marketplace.kernel.db import SYSTEM, Database
from marketplace.ledger.accruing import NewAccrual, accrue
from marketplace.ledger.acts import service as acts
from marketplace.ledger.acts.jobs import work_act_runs
from marketplace.ledger.payouts import service as payouts
from marketplace.ledger.payouts.schemas import NewPayoutRun
from marketplace.ledger.posting import Rule, Source
from pricing.imports.run import work_imports
from tests.auctions.tenders.tendering import act, join, ok, published
from tests.auctions.tenders.test_awards import answer, offered, propose
from tests.auctions.tenders.test_dossier import PDF, upload
from tests.orders.ordering import PNG, claimed, confirm, deliver
from tests.people import Connect, NewPerson, Person, colleague, invitation_token, unique
from tests.suppliers.partnering import certify, partnered, planned
from tests.suppliers.partnering import published as published_programme

SKUS = "sku,unit,currency,price\nA-1,C62,EUR,10.00\nB-2,C62,EUR,12.00\n"


class Dealing(msgspec.Struct, kw_only=True):
    """A buyer and a supplier in the middle of business; the rival bids in the same tenders and wins
    nothing. `ids` by the parameter of a route, where
    two areas use one word with the area before it. `secrets` are words that stand in its objects
    and nowhere else. `employee` is a partner employee of the supplier, assigned to nothing. The
    base list is the supplier's, for every buyer.
    """

    buyer: Person
    supplier: Person
    rival: Person
    buyer_observer: Person
    supplier_observer: Person
    employee: Person
    ids: dict[str, str]
    secrets: list[str]
    base_list_id: str = ""
    base_list_name: str = ""

    def member(self, param: str) -> Person:
        """Somebody of this dealing who may see the object of `param` and holds every role."""
        return self.supplier if param in SUPPLIERS_OWN else self.buyer


SUPPLIERS_OWN = frozenset(
    [
        *("list_id", "import_id", "item_id", "offer_id"),
        *("programme_id", "agreement_id", "certificate_id", "plan_id"),
        *("accrual_id", "entry_id", "account_id", "payout_id", "act_id"),
    ]
)


async def new_dealing(
    new_buyer: NewPerson,
    new_supplier: NewPerson,
    connect: Connect,
    database: Database,
    operator: Person,
) -> Dealing:
    word = unique("secretly") + "-kept"
    buyer, supplier, rival = await new_buyer(), await new_supplier(), await new_supplier()
    made = Dealing(
        buyer=buyer,
        supplier=supplier,
        rival=rival,
        buyer_observer=await colleague(connect, buyer, "observer"),
        supplier_observer=await colleague(connect, supplier, "observer"),
        employee=await colleague(connect, supplier, "partner_employee"),
        ids={"organisation_id": str(buyer.organisation_id)},
        secrets=[word],
    )
    made.ids["supplier_id"] = str(supplier.organisation_id)
    await _business(made, word, database)
    await _tender(made, word)
    await _account(made, connect, word)
    await _prices(made, word, database)
    await _partnership(made, operator, word)
    await _money(made, word, database)
    made.secrets += [value for param, value in made.ids.items() if param not in PUBLIC_IDS]
    return made


SHARED_WITH_A_RIVAL = frozenset(
    ["tender_id", "lot_id", "auction_id", "tenders.document_id", "organisation_id", "supplier_id"]
)
"""What everybody in the same tender may see."""

RECORDS = frozenset(
    [
        *("order_id", "orders.document_id", "claim_id", "award_id", "offer_id", "tender_id"),
        *("lot_id", "auction_id", "tenders.document_id", "question_id"),
    ]
)
"""What somebody works on: a partner employee sees these only where it is assigned."""

# Who an organisation is may be known: suppliers can be invited, buyers publish open tenders; and
# there is one catalogue for everybody.
PUBLIC_IDS = frozenset(["organisation_id", "supplier_id", "item_id"])


async def _business(made: Dealing, word: str, database: Database) -> None:
    """A tender on sealed offers, its award, the order of it, a document and a claim."""
    buyer, supplier, ids = made.buyer, made.supplier, made.ids
    offers = {"200000.00": supplier, "210000.00": made.rival}
    done = await offered(database, buyer, offers, title=f"Awarded {word}")
    [offer] = ok(await supplier.client.get(f"/api/v1/tenders/{done['id']}/offers"))["items"]
    lot_id = done["lots"][0]["id"]
    award = ok(await propose(buyer, lot_id, (supplier, "100")), 201)["items"][0]
    ok(await answer(supplier, award, "accept"))
    [order] = ok(await supplier.client.get("/api/v1/orders"))["items"]
    path = f"/api/v1/orders/{order['id']}"
    await confirm(supplier, order)
    ok(await deliver(supplier, order, "400"), 201)
    document = ok(
        await buyer.client.post(
            f"{path}/documents",
            params={"name": f"{word}.png"},
            content=PNG,
            headers={"Content-Type": "image/png"},
        ),
        201,
    )
    claim = await claimed(buyer, order, description=f"Leaks {word}")
    link = ok(await buyer.client.post(f"{path}/status_link"), 201)
    ids |= {
        "offer_id": offer["id"],
        "award_id": award["id"],
        "order_id": order["id"],
        "orders.document_id": document["id"],
        "claim_id": claim["id"],
        "status_token": link["token"],
    }


async def _tender(made: Dealing, word: str) -> None:
    """A published tender with an auction to come, a document and a question."""
    buyer, supplier, ids = made.buyer, made.supplier, made.ids
    done = await published(buyer, supplier, made.rival, title=f"Pumps {word}")
    for person in (supplier, made.rival):
        await join(person, done["id"])
    document = ok(await upload(buyer, done["id"], PDF, name=f"{word}.pdf"), 201)
    question = ok(await act(supplier, done["id"], "questions", text=f"Which seal, {word}?"), 201)
    ids |= {
        "tender_id": done["id"],
        "lot_id": done["lots"][0]["id"],
        "auction_id": done["lots"][0]["auction_id"],
        "tenders.document_id": document["id"],
        "question_id": question["id"],
    }


async def _account(made: Dealing, connect: Connect, word: str) -> None:
    """What hangs on the buyer's organisation: colleagues, keys, sessions, webhooks."""
    client, ids = made.buyer.client, made.ids
    key = ok(await client.post("/api/v1/api_keys", json={"name": word, "scopes": ["*"]}), 201)
    invited = {"email": f"{word}@example.com", "roles": ["observer"]}
    invitation = ok(await client.post("/api/v1/invitations", json=invited), 201)
    hook = {"url": f"https://hooks.example.com/{word}", "events": ["order.placed"]}
    endpoint = ok(await client.post("/api/v1/endpoints", json=hook), 201)["endpoint"]
    delivery = ok(await client.post(f"/api/v1/endpoints/{endpoint['id']}/test"), 201)
    [session, *_] = ok(await client.get("/api/v1/sessions"))["items"]
    ids |= {
        "key_id": key["id"],
        "invitation_id": invitation["id"],
        "invitation_token": await invitation_token(connect, invited["email"]),
        "endpoint_id": endpoint["id"],
        "delivery_id": delivery["id"],
        "session_id": session["id"],
        "user_id": str(made.buyer_observer.user_id),
    }


async def _partnership(made: Dealing, operator: Person, word: str) -> None:
    """The supplier's agreement with the operator, with a certificate and a plan."""
    supplier, ids = made.supplier, made.ids
    programme = await published_programme(operator, name=f"Partners {word}")
    agreement = await partnered(operator, supplier, made=programme)
    certificate = await certify(operator, supplier, agreement, course=word)
    plan = await planned(supplier, agreement)
    ids |= {
        "programme_id": programme["id"],
        "agreement_id": agreement["id"],
        "certificate_id": certificate["id"],
        "plan_id": plan["id"],
    }


async def _prices(made: Dealing, word: str, database: Database) -> None:
    """The list of the agreement between the two and a base list, published by uploads."""
    partner = str(made.buyer.organisation_id)
    item = {"name": "Pump", "unit": "C62", "sku": unique("pump")}
    made.ids["item_id"] = ok(await made.supplier.client.post("/api/v1/items", json=item), 201)["id"]
    agreement = {"name": word, "kind": "agreement", "partner_id": partner}
    made.ids["list_id"], made.ids["import_id"] = await _published(made, agreement, database)
    made.base_list_name = unique("base-list")
    made.base_list_id, _ = await _published(made, {"name": made.base_list_name}, database)


WALKED_CURRENCY = "BMD"
"""Nobody else's tests earn Bermudian dollars, so a payout run here takes nothing of theirs."""
WALKED_MONTH = "2011-01"
"""Before anything that other tests earn."""


async def _money(made: Dealing, word: str, database: Database) -> None:
    """What the supplier earned as a partner, and a payout of it."""
    partner_id, ids = made.supplier.organisation_id, made.ids
    new = NewAccrual(
        once=f"walk {word}",
        kind="commission",
        beneficiary_id=partner_id,
        currency=WALKED_CURRENCY,
        amount=12_345,
        source=Source("case", word),
        rule=Rule("case", 1, f"A rule, {word}"),
        at=datetime(2011, 1, 1, tzinfo=UTC),
    )
    async with database.transaction(SYSTEM) as session:
        accrual_id = await accrue(session, new)
        maker = await operator_of(session)
        run = NewPayoutRun(until=Clock().now(), currency=WALKED_CURRENCY)
        view = await payouts.propose(session, maker, run, Clock().now())
        await acts.set_billing_terms(
            session, partner_id, self_billing=True, accept_days=10, language="en"
        )
        act_run = await acts.request_run(session, maker, WALKED_MONTH, Clock().now())
    await work_act_runs(database, Clock())
    client = made.supplier.client
    accrual = ok(await client.get(f"/api/v1/accruals/{accrual_id}"))
    [act] = ok(await client.get("/api/v1/acts"))["items"]
    [account] = ok(await client.get("/api/v1/ledger/accounts"))["items"]
    ids |= {
        "accrual_id": accrual["id"],
        "entry_id": accrual["entry_id"],
        "account_id": account["id"],
        "payout_id": accrual["payout_id"],
        "payout_run_id": str(view.id),
        "act_id": act["id"],
        "act_run_id": str(act_run.id),
    }


async def operator_of(session: AsyncSession) -> Actor:
    """The operator's first user, as caller."""
    row = (
        await session.execute(
            text(
                "SELECT u.id, u.organisation_id FROM users u JOIN organisations o"
                " ON o.id = u.organisation_id WHERE o.operator AND o.tax_id = 'OPERATOR' LIMIT 1"
            )
        )
    ).one()
    return Actor(
        user_id=row.id,
        organisation_id=row.organisation_id,
        roles=frozenset(["admin"]),
        capabilities=frozenset(),
        operator=True,
    )


async def _published(made: Dealing, new: dict[str, str], database: Database) -> tuple[str, str]:
    """(list, import)."""
    client = made.supplier.client
    list_id = ok(await client.post("/api/v1/price_lists", json=new), 201)["id"]
    begin = {"price_list_id": list_id, "format": "csv", "file_name": f"{new['name']}.csv"}
    import_id = ok(await client.post("/api/v1/price_imports", json=begin), 201)["id"]
    path = f"/api/v1/price_imports/{import_id}/content"
    ok(await client.put(path, content=SKUS.encode()))
    await work_imports(database, Clock())
    shown = ok(await client.get(f"/api/v1/price_imports/{import_id}"))
    assert shown["state"] == "published", shown
    return list_id, import_id
