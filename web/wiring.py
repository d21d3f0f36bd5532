"""Which parts make up one process: what lives as long as it, who answers which address, who listens
to which fact, which jobs run when. The one file that knows every floor.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any
from uuid import UUID

import msgspec
from litestar.datastructures import State
from litestar.di import Provide
from litestar.types import ControllerRouterHandler
from sqlalchemy.ext.asyncio import AsyncSession

from auctions.book.books import Books
from auctions.live import api as live_api
from auctions.live.hub import Hub
from auctions.live.metrics import LiveMetrics
from auctions.practice import api as practice_api
from auctions.practice import jobs as practice_jobs
from auctions.tenders import api as tenders_api
from auctions.tenders import jobs as tender_jobs
from auctions.tenders import notice_jobs, sending
from auctions.tenders import service as tenders
from auctions.tenders.following import Following
from marketplace.accounts import api as accounts_api
from marketplace.accounts import jobs as accounts_jobs
from marketplace.accounts.facts import ColleagueInvited, PasswordChanged, PasswordResetAsked
from marketplace.accounts.gate import Gate
from marketplace.accounts.guessing import Guesses, LoginLimits
from marketplace.accounts.known_devices import KnownDevices
from marketplace.accounts.passwords import Passwords
from marketplace.accounts.revocation import Revocations
from marketplace.accounts.service import password_resets
from marketplace.accounts.service.logins import Doorman
from marketplace.accounts.tickets import Tickets
from marketplace.accounts.totp import Totp
from marketplace.exchange import api as exchange_api
from marketplace.exchange import listening, mailing
from marketplace.exchange.delivery import PURPOSE, Post
from marketplace.exchange.sender import Sender
from marketplace.kernel.actor import Actor
from marketplace.kernel.clock import Clock
from marketplace.kernel.db import SYSTEM, Database
from marketplace.kernel.facts import Facts
from marketplace.kernel.idempotency import Answers
from marketplace.kernel.outage_log import OUTAGES
from marketplace.kernel.redis import AnyRedis, connect
from marketplace.kernel.sealing import Sealer
from marketplace.kernel.settings import Settings
from marketplace.kernel.workflow import Handler, fire_due
from marketplace.ledger import api as ledger_api
from marketplace.ledger import jobs as ledger_jobs
from marketplace.ledger import order_sales
from marketplace.ledger.acts import jobs as act_jobs
from marketplace.ledger.acts import service as acts
from marketplace.orders import api as orders_api
from marketplace.orders import facts as orders
from marketplace.orders.listed import ListPrices
from marketplace.orders.service import claims as claim_moves
from marketplace.orders.service import moving as order_moves
from pricing.catalogue import api as catalogue_api
from pricing.imports import api as imports_api
from pricing.imports import run as imports_jobs
from pricing.lists import api as lists_api
from pricing.lists import service as lists
from pricing.lists.service.ordering import list_prices
from ratings import api as ratings_api
from ratings import jobs as ratings_jobs
from ratings.service import events as ratings
from ratings.service import gates
from suppliers.programme import api as programme_api
from suppliers.programme import jobs as programme_jobs
from suppliers.programme.facts import TierChanged
from suppliers.programme.measures import Measures
from suppliers.programme.service import agreements
from suppliers.programme.service.agreements import Desk
from suppliers.programme.service.earning import terms_at
from web import health
from web.auth import provide_actor, provide_visitor
from web.lists import provide_page
from web.metrics import Metrics
from web.pages import PAGES
from web.readiness import Readiness
from web.transaction import provide_reader, provide_session

HANDLERS: list[ControllerRouterHandler] = [
    *health.HANDLERS,
    *accounts_api.CONTROLLERS,
    *tenders_api.CONTROLLERS,
    *catalogue_api.CONTROLLERS,
    *lists_api.CONTROLLERS,
    *imports_api.CONTROLLERS,
    *live_api.HANDLERS,
    *practice_api.CONTROLLERS,
    *orders_api.CONTROLLERS,
    *ledger_api.CONTROLLERS,
    *ratings_api.CONTROLLERS,
    *programme_api.CONTROLLERS,
    *exchange_api.CONTROLLERS,
    *PAGES,
]
"""Everything that answers: controllers, WebSocket handlers, pages. Add a feature's list here."""


class Living(msgspec.Struct, frozen=True, kw_only=True):
    """What lives as long as a process. A handler asks for one of these by its name here; a job gets
    all of it.
    """

    settings: Settings
    clock: Clock
    metrics: Metrics
    facts: Facts
    list_prices: ListPrices
    measures: Measures
    database: Database
    redis: AnyRedis
    readiness: Readiness
    gate: Gate
    revocations: Revocations
    passwords: Passwords
    totp: Totp
    guesses: Guesses
    doorman: Doorman
    answers: Answers
    books: Books
    following: Following
    live: Hub


@asynccontextmanager
async def living(
    settings: Settings,
    clock: Clock,
    metrics: Metrics,
    limits: LoginLimits,
    *,
    books_listen: bool = True,
) -> AsyncIterator[Living]:
    """Make it all, and end it in the opposite order. Nothing need answer here: a node starts while
    its servers are down.
    """
    database = Database(settings.database_url, pool_size=settings.database_pool_size)
    redis = connect(settings.redis_url)
    gate = Gate(database, settings, clock)
    passwords = Passwords()
    totp = Totp(Sealer(settings.secret, "totp"), clock, "Marketplace")
    tickets = Tickets(Sealer(settings.secret, "login ticket"), clock)
    devices = KnownDevices(Sealer(settings.secret, "known device"), clock)
    guesses = Guesses(redis, limits)
    books = Books(
        database,
        redis,
        clock,
        secret=settings.secret,
        listens=books_listen,
        limit=settings.auctions_max,
    )
    live_metrics = LiveMetrics(metrics.registry)
    live = Hub(books, database, redis, settings, clock, live_metrics)
    facts = subscribed()
    links = mailing.link_sealer(settings.secret)
    facts.subscribe(ColleagueInvited, partial(listening.colleague_invited, links))
    facts.subscribe(PasswordResetAsked, partial(listening.password_reset_asked, links))
    facts.subscribe(PasswordChanged, listening.password_changed)
    readiness = Readiness(database, redis, books, settings.secret)
    await books.start()
    live_metrics.watch(books)
    await live.start()
    comparing = asyncio.create_task(readiness.compare_secret())
    OUTAGES.check = readiness.is_ready
    try:
        yield Living(
            settings=settings,
            clock=clock,
            metrics=metrics,
            facts=facts,
            list_prices=ListPrices(list_prices),
            measures=Measures(),
            database=database,
            redis=redis,
            readiness=readiness,
            gate=gate,
            revocations=Revocations(redis, gate),
            passwords=passwords,
            totp=totp,
            guesses=guesses,
            doorman=Doorman(clock, guesses, devices, passwords, totp, tickets),
            answers=Answers(Sealer(settings.secret, "idempotency"), clock),
            books=books,
            following=Following(database, books, clock),
            live=live,
        )
    finally:
        comparing.cancel()
        OUTAGES.check = None
        await readiness.close()
        await live.stop()
        await books.stop()
        await redis.aclose()
        await database.close()


async def drain(parts: Living) -> None:
    """Before a node ends: nobody is sent here any more, and every socket goes to another node."""
    parts.readiness.leaving = True
    await parts.live.drain()


def subscribed() -> Facts:
    """Who listens to what happens on lower floors."""
    facts = Facts()
    facts.subscribe(orders.OrderIntended, gates.refuse_blocked)
    facts.subscribe(orders.OrderCompleted, ratings.order_completed)
    facts.subscribe(orders.OrderReopened, ratings.order_reopened)
    facts.subscribe(orders.ClaimUpheld, ratings.claim_upheld)
    facts.subscribe(orders.ClaimWithdrawn, ratings.claim_withdrawn)
    facts.subscribe(orders.SurveyAnswered, ratings.survey_answered)
    facts.subscribe(TierChanged, lists.tier_changed)
    facts.subscribe(orders.OrderCompleted, partial(order_sales.order_completed, terms_at))
    facts.subscribe(orders.OrderReopened, order_sales.order_reopened)
    facts.subscribe(orders.ClaimUpheld, order_sales.claim_upheld)
    facts.subscribe(orders.ClaimWithdrawn, order_sales.claim_withdrawn)
    facts.subscribe(orders.OrderMoved, listening.order_moved)
    facts.subscribe(orders.ClaimMoved, listening.claim_moved)
    return facts


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A timed entry point; `run` is idempotent and safe on several workers at once."""

    name: str
    every_s: float
    run: Callable[[Living], Awaitable[None]]


async def _sweep_accounts(parts: Living) -> None:
    async with parts.database.transaction(SYSTEM) as session:
        await accounts_jobs.sweep(session, parts.clock)


async def _send_password_links(parts: Living) -> None:
    async with parts.database.transaction(SYSTEM) as session:
        await password_resets.send_links(session, parts.facts, parts.clock)


async def _follow_auctions(parts: Living) -> None:
    await parts.following.look()


DEADLINES: dict[str, Handler] = {
    "tender": tenders.fire,
    "award": tenders.fire_award,
    "act": acts.fire,
}
"""Who moves what is due, by the workflow's name."""


async def _fire_deadlines(parts: Living) -> None:
    told = {
        "order": partial(order_moves.fire, parts.facts),
        "claim": partial(claim_moves.fire, parts.facts),
        "agreement": partial(agreements.fire, Desk(facts=parts.facts, measures=parts.measures)),
    }
    await fire_due(parts.database, parts.clock, DEADLINES | told)


async def _mend_auctions(parts: Living) -> None:
    """Commands that a dying process left unsent."""
    desk = sending.Desk(parts.database, parts.books, parts.clock)
    await sending.readmit(desk)
    await sending.send_cancels(desk)
    await sending.move_starts(desk)


async def _exclude_suspended(parts: Living) -> None:
    desk = sending.Desk(parts.database, parts.books, parts.clock)
    await sending.exclude_suspended(desk)


async def _note_ended_auctions(parts: Living) -> None:
    desk = sending.Desk(parts.database, parts.books, parts.clock)
    await tender_jobs.note_ended_auctions(desk)


async def _announce_auctions(parts: Living) -> None:
    await notice_jobs.announce_starts(parts.database, parts.clock)
    await notice_jobs.announce_outbid(parts.database, parts.books, parts.clock)


async def _practise(parts: Living) -> None:
    await practice_jobs.play(practice_jobs.Desk(parts.database, parts.books, parts.clock))


async def _forget_practice(parts: Living) -> None:
    await practice_jobs.forget(practice_jobs.Desk(parts.database, parts.books, parts.clock))


async def _work_price_imports(parts: Living) -> None:
    await imports_jobs.work_imports(parts.database, parts.clock)


async def _sweep_price_imports(parts: Living) -> None:
    await imports_jobs.sweep_imports(parts.database, parts.clock)


async def _keep_ratings(parts: Living) -> None:
    await ratings_jobs.keep(parts.database, parts.clock)


async def _judge_tiers(parts: Living) -> None:
    await programme_jobs.judge_tiers(parts.database, parts.clock, parts.measures)


async def _work_act_runs(parts: Living) -> None:
    await act_jobs.work_act_runs(parts.database, parts.clock)


async def _announce_payouts(parts: Living) -> None:
    await ledger_jobs.announce_payouts(parts.database, parts.clock)


async def _send_webhooks(parts: Living) -> None:
    await _post(parts).deliver_due()


async def _sweep_webhooks(parts: Living) -> None:
    await _post(parts).sweep()


def _post(parts: Living) -> Post:
    sealer = Sealer(parts.settings.secret, PURPOSE)
    sender = Sender(private=parts.settings.webhook_private, clock=parts.clock)
    return Post(parts.database, parts.clock, sealer, sender)


async def _send_mails(parts: Living) -> None:
    if parts.settings.smtp_url:
        server = mailing.MailServer(parts.settings.smtp_url, parts.settings.mail_from)
        links = mailing.link_sealer(parts.settings.secret)
        await mailing.send_due(parts.database, parts.clock, server, links, parts.settings.origin)


JOBS = [
    Job(name="note_ended_auctions", every_s=1, run=_note_ended_auctions),
    Job(name="announce_auctions", every_s=1, run=_announce_auctions),
    Job(name="exclude_suspended", every_s=1, run=_exclude_suspended),
    Job(name="mend_auctions", every_s=5, run=_mend_auctions),
    Job(name="fire_deadlines", every_s=5, run=_fire_deadlines),
    Job(name="follow_auctions", every_s=0.5, run=_follow_auctions),
    Job(name="practise", every_s=1, run=_practise),
    Job(name="forget_practice", every_s=600, run=_forget_practice),
    Job(name="send_password_links", every_s=1, run=_send_password_links),
    Job(name="sweep_accounts", every_s=600, run=_sweep_accounts),
    Job(name="work_price_imports", every_s=0.5, run=_work_price_imports),
    Job(name="sweep_price_imports", every_s=300, run=_sweep_price_imports),
    Job(name="keep_ratings", every_s=30, run=_keep_ratings),
    Job(name="judge_tiers", every_s=600, run=_judge_tiers),
    Job(name="work_act_runs", every_s=1, run=_work_act_runs),
    Job(name="announce_payouts", every_s=1, run=_announce_payouts),
    Job(name="send_webhooks", every_s=1, run=_send_webhooks),
    Job(name="sweep_webhooks", every_s=3_600, run=_sweep_webhooks),
    Job(name="send_mails", every_s=5, run=_send_mails),
]
"""What every worker does by the clock."""


def _part(name: str) -> Provide:
    def provide(state: State) -> Any:
        return getattr(state.living, name)

    return Provide(provide, sync_to_thread=False)


async def _blocked_suppliers(session: AsyncSession, actor: Actor) -> frozenset[UUID]:
    """Whom the caller's organisation has blocked: prices know nothing of ratings."""
    return await gates.blocked_suppliers(session, actor.organisation_id)


DEPENDENCIES: dict[str, Provide] = {
    "blocked_suppliers": Provide(_blocked_suppliers),
    "session": Provide(provide_session),
    "reader": Provide(provide_reader),
    "actor": Provide(provide_actor),
    "page": Provide(provide_page),
    "visitor": Provide(provide_visitor),
} | {name: _part(name) for name in Living.__struct_fields__}
"""What a handler may ask for by name: its transaction, its caller, and everything that lives."""
