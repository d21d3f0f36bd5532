"""Acts: numbers without gaps, the same bytes for ever, invoices only where that was agreed, and a
worker that is killed in the middle.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import sys
import zipfile
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pypdf
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from lxml import etree
from sqlalchemy import text

from marketplace.kernel.actor import Actor
from marketplace.kernel.clock import Clock
from marketplace.kernel.db import SYSTEM, Database
from marketplace.kernel.ids import new_id
from marketplace.kernel.lease import LeaseLost
from marketplace.ledger.accruing import NewAccrual, accrue
from marketplace.ledger.acts import jobs, queries, service
from marketplace.ledger.acts.jobs import LEASE, work_act_runs
from marketplace.ledger.posting import Source
from tests.auctions.tenders.test_notices import mails
from tests.ledger.partners import RULE, new_colleague, new_organisation
from tests.orders.ordering import ok, refused
from tests.people import NewPerson, Person
from tests.servers import Place
from tests.vectors.world import World

URL = "/api/v1/act_runs"
PERIOD = "2012-03"
EARNED = datetime(2012, 3, 10, tzinfo=UTC)
RAM = "{urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100}"


async def earn(database: Database, partner_id: Any, *amounts: int, currency: str = "EUR") -> None:
    async with database.transaction(SYSTEM) as session:
        for amount in amounts:
            new = NewAccrual(
                once=f"act test {new_id()}",
                kind="commission",
                beneficiary_id=partner_id,
                currency=currency,
                amount=amount,
                source=Source("order", str(new_id())),
                rule=RULE,
                at=EARNED,
            )
            await accrue(session, new)


async def agree(database: Database, partner_id: Any, language: str = "pl") -> None:
    async with database.transaction(SYSTEM) as session:
        await service.set_billing_terms(
            session, partner_id, self_billing=True, accept_days=14, language=language
        )


async def made(operator: Person, database: Database) -> dict[str, Any]:
    run = ok(await operator.client.post(URL, json={"period": PERIOD}), 202)
    await work_act_runs(database, Clock())
    shown: dict[str, Any] = ok(await operator.client.get(f"{URL}/{run['id']}"))
    assert shown["state"] == "done"
    assert shown["acts"] == shown["rendered"]
    return shown


async def test_an_act_is_a_self_billed_invoice_where_that_was_agreed(
    operator: Person, new_supplier: NewPerson, database: Database
) -> None:
    partner = await new_supplier()
    await agree(database, partner.organisation_id)
    await earn(database, partner.organisation_id, 10_000, -250)
    run = await made(operator, database)
    [row] = ok(await partner.client.get("/api/v1/acts"))["items"]
    act = ok(await partner.client.get(f"/api/v1/acts/{row['id']}"))
    assert (act["kind"], act["title"]) == (389, "Faktura (samofakturowanie)")
    assert act["total"] == {"amount": "97.50", "currency": "EUR"}
    assert [line["amount"]["amount"] for line in act["lines"]] == ["100.00", "-2.50"]
    assert await mails(database, partner, "act.ready") == [f"Act {act['number']}: 97.50 EUR"]
    pdf = await partner.client.get(f"/api/v1/acts/{row['id']}.pdf")
    assert pdf.headers["content-type"] == "application/pdf"
    assert hashlib.sha256(pdf.content).hexdigest() == act["sha256"]
    xml = await partner.client.get(f"/api/v1/acts/{row['id']}.xml")
    document = etree.fromstring(xml.content)
    assert document.findtext(f".//{RAM}GrandTotalAmount") == "97.50"
    assert next(node.text for node in document.iter(f"{RAM}TypeCode")) == "389"
    read = pypdf.PdfReader(io.BytesIO(pdf.content))
    assert read.attachments["factur-x.xml"] == [xml.content]
    assert act["number"] in read.pages[0].extract_text()
    again = await made(operator, database)
    assert again["id"] == run["id"]
    assert (await partner.client.get(f"/api/v1/acts/{row['id']}.pdf")).content == pdf.content


async def test_without_agreement_it_is_a_statement_and_no_invoice(
    operator: Person, new_supplier: NewPerson, database: Database
) -> None:
    partner = await new_supplier()
    await earn(database, partner.organisation_id, -700)
    await made(operator, database)
    [act] = ok(await partner.client.get("/api/v1/acts"))["items"]
    assert (act["kind"], act["self_billing"]) == (261, False)
    assert (act["title"], act["total"]["amount"]) == ("Statement of account", "7.00")
    assert (await partner.client.get(f"/api/v1/acts/{act['id']}.xml")).status_code == 404
    assert (await partner.client.get(f"/api/v1/acts/{act['id']}.pdf")).status_code == 200


async def test_a_partner_accepts_or_disputes_and_silence_accepts(
    operator: Person, new_supplier: NewPerson, database: Database
) -> None:
    partner = await new_supplier()
    await earn(database, partner.organisation_id, 100, currency="EUR")
    await earn(database, partner.organisation_id, 100, currency="PLN")
    await made(operator, database)
    first, second = ok(await partner.client.get("/api/v1/acts"))["items"]
    path = f"/api/v1/acts/{first['id']}"
    refused(await operator.client.post(f"{path}/accept"), 403, "role_missing")
    disputed = await partner.client.post(f"{path}/dispute", json={"reason": "An order is missing"})
    assert (ok(disputed)["state"], ok(disputed)["reason"]) == ("disputed", "An order is missing")
    refused(
        await partner.client.post(f"{path}/dispute", json={"reason": "Again"}),
        409,
        "undefined_transition",
    )
    assert ok(await partner.client.post(f"{path}/accept"))["state"] == "accepted"
    from marketplace.kernel.workflow import fire_due

    class Later(Clock):
        def now(self) -> datetime:
            return super().now() + timedelta(days=11)

    await fire_due(database, Later(), {"act": service.fire})
    shown = ok(await partner.client.get(f"/api/v1/acts/{second['id']}"))
    assert shown["state"] == "accepted"


async def test_the_archive_holds_every_act_and_is_the_same_each_time(
    operator: Person, new_supplier: NewPerson, database: Database
) -> None:
    partner = await new_supplier()
    await agree(database, partner.organisation_id, "ru")
    await earn(database, partner.organisation_id, 100)
    run = await made(operator, database)
    [act] = ok(await partner.client.get("/api/v1/acts"))["items"]
    archive = await operator.client.get(f"{URL}/{run['id']}/archive.zip")
    assert (await operator.client.get(f"{URL}/{run['id']}/archive.zip")).content == archive.content
    with zipfile.ZipFile(io.BytesIO(archive.content)) as files:
        assert files.testzip() is None
        names = files.namelist()
        assert len([name for name in names if name.endswith(".pdf")]) == run["acts"]
        content = files.read(f"{act['number']}.pdf")
    assert hashlib.sha256(content).hexdigest() == act["sha256"]


async def test_a_month_is_a_month(operator: Person) -> None:
    for period in ("2026-13", "2026-1", "2026"):
        answer = await operator.client.post(URL, json={"period": period})
        assert answer.status_code == 422


ACTS = 24


@pytest.fixture
async def own_place(servers: Place) -> AsyncIterator[tuple[str, Database]]:
    """A database that no other test has accruals in."""
    async with World(lambda: servers).url() as url:
        database = Database(url)
        yield url, database
        await database.close()


async def test_a_worker_killed_in_the_middle_loses_and_repeats_nothing(
    own_place: tuple[str, Database],
) -> None:
    url, database = own_place
    operator = await new_organisation(database, "admin", operator=True)
    partners = [await new_organisation(database) for _ in range(ACTS)]
    for partner in partners:
        await agree(database, partner.organisation_id)
        await earn(database, partner.organisation_id, 100, 200)
    await start_run(database, operator)
    killed = 0
    for wanted in (1, ACTS // 2):
        worker = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.ledger.act_worker", url
        )
        await rendered(url, wanted)
        if worker.returncode is None:
            worker.kill()
            killed += 1
        await worker.wait()
        await let_lease_end(database)
    assert killed > 0
    await work_act_runs(database, Clock())
    async with database.transaction(SYSTEM) as session:
        rows = (
            await session.execute(
                text(
                    "SELECT a.number, a.total_minor, a.sha256, f.pdf FROM acts a"
                    " JOIN act_files f ON f.act_id = a.id ORDER BY a.number"
                )
            )
        ).all()
        lines = await session.scalar(text("SELECT count(*) FROM act_lines"))
        told = await session.scalar(text("SELECT count(*) FROM act_runs WHERE state = 'done'"))
    assert [row.number for row in rows] == [f"SB-2012-{number:05}" for number in range(1, ACTS + 1)]
    assert {row.total_minor for row in rows} == {300}
    assert all(hashlib.sha256(row.pdf).hexdigest() == row.sha256 for row in rows)
    assert (lines, told) == (2 * ACTS, 1)


async def start_run(database: Database, operator: Actor) -> None:
    maker = await new_colleague(database, operator, "admin")
    async with database.transaction(maker) as session:
        await service.request_run(session, maker, PERIOD, Clock().now())


async def rendered(url: str, wanted: int) -> None:
    """Wait until so many acts have their files."""
    connection = await asyncpg.connect(url)
    try:
        async with asyncio.timeout(60):
            while await connection.fetchval("SELECT count(*) FROM act_files") < wanted:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
    finally:
        await connection.close()


async def test_a_worker_that_wakes_up_late_changes_nothing(
    database: Database, operator: Person
) -> None:
    partner = await new_organisation(database)
    await earn(database, partner.organisation_id, 7_500)
    ok(await operator.client.post(URL, json={"period": PERIOD}), 202)
    frozen = await jobs.claim(database, Clock())
    assert frozen is not None
    await let_lease_end(database)
    successor = await jobs.claim(database, Clock())
    assert successor is not None
    assert (successor.row_id, successor.token == frozen.token) == (frozen.row_id, False)
    with pytest.raises(LeaseLost):
        await jobs.number(database, Clock(), frozen)
    async with database.transaction(SYSTEM) as session:
        run = await queries.run(session, frozen.row_id)
        assert run is not None
        assert (run.state, run.lease_token) == ("numbering", successor.token)
    await let_lease_end(database)
    await work_act_runs(database, Clock())
    assert ok(await operator.client.get(f"{URL}/{frozen.row_id}"))["state"] == "done"


async def let_lease_end(database: Database) -> None:
    """The dead worker's lease, without waiting for it."""
    async with database.transaction(SYSTEM) as session:
        await session.execute(
            text("UPDATE act_runs SET lease_until = lease_until - make_interval(secs => :s)"),
            {"s": LEASE.total_seconds() + 1},
        )


NO_SHRINKING = [Phase.explicit, Phase.generate]
"""Every example takes a database; a shrinker would run for minutes."""
MONTHS = st.lists(
    st.lists(
        st.tuples(
            st.integers(0, 2),
            st.sampled_from(["EUR", "PLN"]),
            st.integers(-(10**9), 10**9).filter(bool),
        ),
        max_size=6,
    ),
    min_size=1,
    max_size=3,
)


@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    phases=NO_SHRINKING,
)
@given(months=MONTHS)
async def test_acts_equal_the_ledger_however_often_they_are_made(
    own_place: tuple[str, Database], months: list[list[tuple[int, str, int]]]
) -> None:
    """Between two runs something is earned: each accrual stands on one act, with its amount."""
    _, database = own_place
    operator = await new_organisation(database, "admin", operator=True)
    partners = [await new_organisation(database) for _ in range(3)]
    for earned in months:
        for place, currency, amount in earned:
            await earn(database, partners[place].organisation_id, amount, currency=currency)
        await start_run(database, operator)
        async with database.transaction(SYSTEM) as session:
            run = await queries.run_of_period(session, PERIOD)
            assert run is not None
            await service.issue(session, run, 50, Clock().now())
            assert await service.issue(session, run, 50, Clock().now()) == 0
    async with database.transaction(SYSTEM) as session:
        off = await session.execute(
            text(
                "SELECT a.id FROM accruals a LEFT JOIN act_lines l ON l.accrual_id = a.id"
                " LEFT JOIN acts c ON c.id = l.act_id AND c.id = a.act_id"
                " AND c.beneficiary_id = a.beneficiary_id AND c.currency = a.asset"
                " WHERE c.id IS NULL"
                " OR l.amount_minor * CASE c.kind WHEN 261 THEN -1 ELSE 1 END <> a.amount"
            )
        )
        assert off.all() == []
        sums = await session.execute(
            text(
                "SELECT c.id FROM acts c JOIN act_lines l ON l.act_id = c.id GROUP BY c.id"
                " HAVING sum(l.amount_minor) <> c.total_minor OR count(*) <> c.lines"
            )
        )
        assert sums.all() == []
        numbers = list(await session.scalars(text("SELECT number FROM acts ORDER BY number")))
    assert numbers == [f"SB-2012-{place:05}" for place in range(1, len(numbers) + 1)]
