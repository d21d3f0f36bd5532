"""Mail by SMTP. Without a mail server nothing is lost: the mails stay in the operator's outbox."""

from __future__ import annotations

import asyncio
import random
import smtplib
import ssl
from collections.abc import Sequence
from datetime import timedelta
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

from marketplace.exchange import queries, rules
from marketplace.exchange.queries import DueMail
from marketplace.kernel.clock import Clock
from marketplace.kernel.db import SYSTEM, Database
from marketplace.kernel.sealing import NotSealedHere, Sealer

BATCH_MAX, ROUNDS_MAX = 50, 20
LEASE = timedelta(minutes=10)
TIMEOUT_S = 15.0
_chance = random.SystemRandom()


class MailServer:
    """`smtp://[user:password@]host[:port]` (STARTTLS where offered) or `smtps://…`."""

    def __init__(self, url: str, sender: str) -> None:
        self._url = urlsplit(url)
        self._sender = sender

    def send(self, mails: Sequence[tuple[str, str, str]]) -> list[str | None]:
        """(address, subject, text) each; None for sent, else why not. Blocks: call in a thread."""
        results: list[str | None] = []
        try:
            with self._connected() as smtp:
                results.extend(self._send(smtp, mail) for mail in mails)
        except (OSError, smtplib.SMTPException) as error:
            results += [type(error).__name__] * (len(mails) - len(results))
        return results

    def _connected(self) -> smtplib.SMTP:
        host, port = self._url.hostname or "localhost", self._url.port or 0
        smtp: smtplib.SMTP
        if self._url.scheme == "smtps":
            context = ssl.create_default_context()
            smtp = smtplib.SMTP_SSL(host, port, timeout=TIMEOUT_S, context=context)
        else:
            smtp = smtplib.SMTP(host, port, timeout=TIMEOUT_S)
            smtp.ehlo()
            if smtp.has_extn("starttls"):
                smtp.starttls(context=ssl.create_default_context())
        if self._url.username:
            smtp.login(unquote(self._url.username), unquote(self._url.password or ""))
        return smtp

    def _send(self, smtp: smtplib.SMTP, mail: tuple[str, str, str]) -> str | None:
        address, subject, text = mail
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = self._sender, address, subject
        message.set_content(text)
        try:
            smtp.send_message(message)
        except smtplib.SMTPResponseException as error:
            return f"{error.smtp_code}"
        except smtplib.SMTPRecipientsRefused:
            return "The address was refused."
        return None


def link_sealer(secret: str) -> Sealer:
    """Seals the links of mails that are waiting: without the master secret a copy of the database
    lets nobody in.
    """
    return Sealer(secret, "mail links")


def path_of(mail: DueMail, links: Sealer) -> str:
    """Where the mail leads. Raises NotSealedHere (another master secret, a changed byte)."""
    if mail.link_sealed is None:
        return mail.path
    return links.open(mail.link_sealed, mail.id.bytes).decode()


async def send_due(
    database: Database, clock: Clock, server: MailServer, links: Sealer, origin: str
) -> int:
    """Send what is due; how many were tried. Safe on several workers at once."""
    tried = 0
    for _ in range(ROUNDS_MAX):
        async with database.transaction(SYSTEM) as session:
            due = await queries.claim_mails(session, clock.now(), LEASE, BATCH_MAX)
        if not due:
            break
        tried += len(due)
        mails, sendable = [], []
        for mail in due:
            try:
                address = f"{origin}{path_of(mail, links)}"
            except NotSealedHere:
                await _give_up(database, mail)
                continue
            mails.append((mail.address, mail.subject, f"{mail.text}\n\n{address}\n"))
            sendable.append(mail)
        results = await asyncio.to_thread(server.send, mails)
        await _note(database, clock, sendable, results)
    return tried


async def _give_up(database: Database, mail: DueMail) -> None:
    """Trying again cannot help: the link was sealed with another master secret."""
    async with database.transaction(SYSTEM) as session:
        await queries.note_mail(
            session,
            mail.id,
            state="dead",
            link_sealed=None,
            last_error="The link was sealed with another master secret.",
        )


async def _note(
    database: Database, clock: Clock, due: Sequence[DueMail], results: Sequence[str | None]
) -> None:
    """How it went. A link that lets in is deleted once it is on its way, or given up."""
    now = clock.now()
    async with database.transaction(SYSTEM) as session:
        for mail, failure in zip(due, results, strict=True):
            if failure is None:
                await queries.note_mail(
                    session, mail.id, state="sent", sent_at=now, link_sealed=None
                )
                continue
            again = rules.next_attempt(mail.attempts, now, _chance.random())
            await queries.note_mail(
                session,
                mail.id,
                state="dead" if again is None else "pending",
                link_sealed=None if again is None else mail.link_sealed,
                next_at=again or now,
                last_error=failure,
            )
