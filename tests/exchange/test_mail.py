"""Mails wait in the outbox until there is a server to send them by."""

from __future__ import annotations

import asyncio

import pytest

from marketplace.exchange import mailing
from marketplace.kernel.db import Database
from marketplace.kernel.sealing import Sealer
from marketplace.kernel.settings import Settings
from tests.answers import ok
from tests.exchange.conftest import Ahead
from tests.orders.ordering import ordered
from tests.people import Connect, NewPerson, Person, invitation_token, invite

ORIGIN = "https://market.example.com"


@pytest.fixture
def links(settings: Settings) -> Sealer:
    return mailing.link_sealer(settings.secret)


class Postbox:
    """A mail server that speaks just enough SMTP."""

    def __init__(self) -> None:
        self.mails: list[str] = []
        self.refuse = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 here\r\n")
        while line := (await reader.readline()).decode().strip():
            word = line.split(" ")[0].upper()
            if word == "DATA":
                writer.write(b"354 go on\r\n")
                self.mails.append((await reader.readuntil(b"\r\n.\r\n")).decode())
                writer.write(b"250 ok\r\n")
            elif word == "QUIT":
                writer.write(b"221 bye\r\n")
                break
            elif word == "RCPT" and self.refuse:
                writer.write(b"550 nobody\r\n")
            else:
                writer.write(b"250 ok\r\n")
        writer.close()


async def test_the_link_of_an_invitation_is_mailed_and_kept_nowhere(
    new_buyer: NewPerson,
    operator: Person,
    connect_client: Connect,
    database: Database,
    clock: Ahead,
    links: Sealer,
) -> None:
    email = await invite(await new_buyer(), "approver")
    token = await invitation_token(connect_client, email)
    pool = await database.pool()
    stored = await pool.fetchval("SELECT m::text FROM exchange_mails m WHERE address = $1", email)
    assert token not in stored
    assert token.encode().hex() not in stored
    outbox = await operator.client.get("/api/v1/mails", params={"limit": 200})
    assert email in outbox.text
    assert token not in outbox.text
    postbox = Postbox()
    server = await asyncio.start_server(postbox.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    smtp = mailing.MailServer(f"smtp://127.0.0.1:{port}", "market@example.com")
    async with server:
        await mailing.send_due(database, clock, smtp, links, ORIGIN)
    [sent] = [text for text in postbox.mails if f"To: {email}" in text]
    assert f"https://market.example.com/invitations/{token}" in sent.replace("=\r\n", "")
    sealed = "SELECT link_sealed FROM exchange_mails WHERE address = $1"
    assert await pool.fetchval(sealed, email) is None


async def test_a_link_sealed_with_another_secret_is_given_up_and_holds_up_nobody(
    new_buyer: NewPerson, database: Database, clock: Ahead, links: Sealer
) -> None:
    buyer, smtp = await new_buyer(), mailing.MailServer("smtp://127.0.0.1:9", "market@example.com")
    email = await invite(buyer, "approver")
    await mailing.send_due(database, clock, smtp, mailing.link_sealer("another"), ORIGIN)
    pool = await database.pool()
    row = await pool.fetchrow(
        "SELECT state, link_sealed, last_error FROM exchange_mails WHERE address = $1", email
    )
    assert (row["state"], row["link_sealed"]) == ("dead", None)
    assert "another master secret" in row["last_error"]


async def test_mails_wait_in_the_operators_outbox_until_there_is_a_server(
    new_buyer: NewPerson,
    new_supplier: NewPerson,
    operator: Person,
    database: Database,
    clock: Ahead,
    links: Sealer,
) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    await ordered(buyer, supplier)
    waiting = ok(await operator.client.get("/api/v1/mails", params={"state": "pending"}))["items"]
    [mail] = [mail for mail in waiting if mail["address"] == supplier.email]
    assert mail["subject"] == "Order 1 was placed"
    assert (await buyer.client.get("/api/v1/mails")).status_code == 403
    postbox = Postbox()
    server = await asyncio.start_server(postbox.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    smtp = mailing.MailServer(f"smtp://127.0.0.1:{port}", "market@example.com")
    async with server:
        await mailing.send_due(database, clock, smtp, links, ORIGIN)
        sent = [text for text in postbox.mails if f"To: {supplier.email}" in text]
        assert len(sent) == 1
        assert "https://market.example.com/orders/" in sent[0]
        assert "From: market@example.com" in sent[0]
        postbox.refuse = True
        await ordered(buyer, supplier)
        await mailing.send_due(database, clock, smtp, links, ORIGIN)
    after = ok(await operator.client.get("/api/v1/mails", params={"limit": 200}))["items"]
    mine = [mail for mail in after if mail["address"] == supplier.email]
    assert [(mail["state"], mail["last_error"]) for mail in mine] == [
        ("pending", "The address was refused."),
        ("sent", None),
    ]
