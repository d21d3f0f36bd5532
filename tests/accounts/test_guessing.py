"""Guessing passwords and codes: slow for whoever guesses, and never a lock for the owner."""

from __future__ import annotations

import asyncio
import itertools
import os
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx
import msgspec
import pyotp
import pytest

from marketplace.accounts.addresses import SITE_BITS, network_of
from marketplace.accounts.guessing import LoginLimits
from marketplace.accounts.known_devices import ACCOUNTS_MAX, DEVICE_LIFE, KnownDevices
from marketplace.accounts.passwords import WAITING_MAX, Turns
from marketplace.kernel.clock import Clock
from marketplace.kernel.errors import Unavailable
from marketplace.kernel.sealing import Sealer
from marketplace.kernel.settings import Settings
from marketplace.kernel.throttle import Rate
from tests.accounts.test_logins import MovedClock
from tests.conftest import serve
from tests.people import PASSWORD, NewPerson, Person, unique
from web.app import create_app

SESSIONS = "/api/v1/sessions"
_places = itertools.count(1)
_site = os.urandom(6).hex(":", 2)


def new_place() -> str:
    """An address that nobody has used yet; each is of another /48."""
    return f"2001:{next(_places):x}:{_site}::1"


def wrong(person: Person) -> dict[str, str]:
    return {"email": person.email, "password": "not the password"}


def right(person: Person, **more: str) -> dict[str, str]:
    return {"email": person.email, "password": PASSWORD} | more


@asynccontextmanager
async def browser(url: str, address: str | None = None) -> AsyncIterator[httpx.AsyncClient]:
    """A browser without any cookie, behind a proxy on this machine that names its address."""
    headers = {"X-Forwarded-For": address or new_place()}
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=30) as client:
        yield client


async def status(client: httpx.AsyncClient, body: dict[str, str]) -> int:
    return (await client.post(SESSIONS, json=body)).status_code


async def guess(url: str, address: str, person: Person, times: int) -> Counter[int]:
    """Wrong passwords, all at once."""
    async with browser(url, address) as client:
        return Counter(await asyncio.gather(*(status(client, wrong(person)) for _ in range(times))))


@pytest.fixture
async def second_node(settings: Settings) -> AsyncIterator[str]:
    async with serve(create_app(settings)) as url:
        yield url


@pytest.fixture
async def strict_node(settings: Settings) -> AsyncIterator[str]:
    """A node where an account is under attack after three wrong guesses of strangers."""
    never = 1 / 100_000
    limits = LoginLimits(
        at_account=Rate(per_s=never, burst=3), codes_at_account=Rate(per_s=never, burst=3)
    )
    async with serve(create_app(settings, limits=limits)) as url:
        yield url


async def test_a_guessing_address_crawls_on_every_node_and_keeps_nobody_out(
    new_buyer: NewPerson, live_server: str, second_node: str
) -> None:
    owner, guesser = await new_buyer(), new_place()
    burst = LoginLimits().by_address.burst
    answers = await guess(live_server, guesser, owner, 40)
    assert answers == {401: burst, 429: 40 - burst}
    assert await guess(second_node, guesser, owner, 5) == {429: 5}
    async with browser(second_node, guesser) as client:
        refused = await client.post(SESSIONS, json=right(owner))
        assert (refused.status_code, refused.json()["code"]) == (429, "too_fast")
        assert 30 < int(refused.headers["retry-after"]) <= 61
    # The owner from anywhere else, and from the same address in a known browser.
    async with browser(live_server) as client:
        assert await status(client, right(owner)) == 201
    async with browser(live_server, guesser) as client:
        client.cookies.set("device", owner.client.cookies["device"])
        assert await status(client, wrong(owner)) == 401
        assert await status(client, right(owner)) == 201


async def test_other_accounts_are_not_slowed_down_by_it(
    new_buyer: NewPerson, live_server: str
) -> None:
    guessed, other, office = await new_buyer(), await new_buyer(), new_place()
    await guess(live_server, office, guessed, 20)
    async with browser(live_server, office) as client:
        assert await status(client, right(other)) == 201


async def test_right_passwords_never_wear_out(new_buyer: NewPerson, live_server: str) -> None:
    owner, place = await new_buyer(), new_place()
    for _ in range(LoginLimits().by_address.burst + 5):
        async with browser(live_server, place) as client:
            assert await status(client, wrong(owner)) == 401
            assert await status(client, right(owner)) == 201


async def test_one_address_cannot_try_one_password_at_every_account(settings: Settings) -> None:
    limits = LoginLimits(at_all_accounts=Rate(per_s=1 / 1_000, burst=5))
    async with serve(create_app(settings, limits=limits)) as url, browser(url) as client:
        answers = [
            await status(client, {"email": f"{unique('x')}@example.com", "password": "Summer 2026"})
            for _ in range(8)
        ]
    assert answers == [401] * 5 + [429] * 3


async def test_many_addresses_at_one_account_get_a_try_or_two_each(
    new_buyer: NewPerson, strict_node: str
) -> None:
    owner = await new_buyer()
    for _ in range(3):
        assert await guess(strict_node, new_place(), owner, 1) == {401: 1}
    for _ in range(3):
        answers = await guess(strict_node, new_place(), owner, 6)
        assert answers == {401: LoginLimits().under_attack.burst, 429: 4}
    # The owner at a new place gets in at the first try; in the known browser even after slips.
    async with browser(strict_node) as client:
        assert await status(client, right(owner)) == 201
    async with browser(strict_node) as client:
        client.cookies.set("device", owner.client.cookies["device"])
        assert [await status(client, wrong(owner)) for _ in range(5)] == [401] * 5
        assert await status(client, right(owner)) == 201


async def test_addresses_without_an_account_answer_in_the_same_way(
    new_buyer: NewPerson, live_server: str
) -> None:
    owner = await new_buyer()
    nobody = msgspec.structs.replace(owner, email=f"{unique('nobody')}@example.com")
    told = [await guess(live_server, new_place(), person, 15) for person in (owner, nobody)]
    assert told[0] == told[1]


async def test_a_known_browser_has_bounded_tries_of_its_own(
    new_buyer: NewPerson, live_server: str
) -> None:
    """A stolen cookie guesses no faster, and slows nobody else down."""
    owner = await new_buyer()
    burst = LoginLimits().by_device.burst
    answers: Counter[int] = Counter()
    for _ in range(burst + 3):
        async with browser(live_server) as client:
            client.cookies.set("device", owner.client.cookies["device"])
            answers[await status(client, wrong(owner))] += 1
    assert answers == {401: burst, 429: 3}
    async with browser(live_server) as client:
        assert await status(client, right(owner)) == 201


async def test_whoever_knows_the_password_guesses_few_codes_from_however_many_places(
    new_buyer: NewPerson, strict_node: str
) -> None:
    owner = await new_buyer()
    authenticator = pyotp.TOTP((await owner.client.post("/api/v1/me/totp")).json()["secret"])
    code = authenticator.at(Clock().now())
    await owner.client.post("/api/v1/me/totp/confirm", json={"code": code})
    answers: Counter[int] = Counter()
    for _ in range(6):
        async with browser(strict_node) as client:
            answers[await status(client, right(owner, totp="000000"))] += 1
    assert answers == {401: 3, 429: 3}
    async with browser(strict_node) as client:
        client.cookies.set("device", owner.client.cookies["device"])
        code = authenticator.at(Clock().now() + timedelta(seconds=30))
        assert await status(client, right(owner, totp=code)) == 201


async def test_the_pages_remember_the_browser_too(new_buyer: NewPerson, live_server: str) -> None:
    owner, place = await new_buyer(), new_place()
    async with browser(live_server, place) as client:
        assert (await client.post("/login", data=right(owner))).status_code == 303
        await guess(live_server, place, owner, 20)
        client.cookies.delete("session")
        assert (await client.post("/login", data=wrong(owner))).status_code == 401
        assert (await client.post("/login", data=right(owner))).status_code == 303
    async with browser(live_server, place) as stranger:
        assert (await stranger.post("/login", data=right(owner))).status_code == 429


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unknown", "unknown"),
        ("x" * 500, "x" * 64),
    ],
)
def test_an_ipv6_customer_is_one_client(address: str, network: str) -> None:
    assert network_of(address) == network


def test_a_site_of_many_networks_is_one_client_for_what_costs_a_hash() -> None:
    assert network_of("2001:db8:1:2::1", SITE_BITS) == network_of("2001:db8:1:ffff::1", SITE_BITS)


def known_devices(clock: Clock | None = None, secret: str = "secret") -> KnownDevices:
    return KnownDevices(Sealer(secret, "known device"), clock or Clock())


def test_a_browser_is_known_to_the_accounts_that_logged_in_there() -> None:
    devices = known_devices()
    cookie = devices.remember(None, "ada")
    both = devices.remember(cookie, "ben")
    assert devices.known_for(cookie, "ben") is None
    assert devices.known_for(both, "ada") == devices.known_for(both, "ben") is not None
    for number in range(ACCOUNTS_MAX):
        both = devices.remember(both, f"other {number}")
    assert devices.known_for(both, "ada") is None
    assert len(both) < 1_000


@pytest.mark.parametrize("cookie", [None, "", "x", "bWFkZSB1cA==", "ä", "A" * 3_000])
def test_what_was_not_sealed_here_is_no_known_browser(cookie: Any) -> None:
    assert known_devices().known_for(cookie, "ada") is None


def test_a_browser_is_forgotten_after_half_a_year_without_login() -> None:
    clock = MovedClock()
    devices = known_devices(clock)
    cookie = devices.remember(None, "ada")
    assert known_devices(clock, "another secret").known_for(cookie, "ada") is None
    clock.moved = DEVICE_LIFE - timedelta(seconds=1)
    cookie = devices.remember(cookie, "ada")
    clock.moved += timedelta(days=1)
    assert devices.known_for(cookie, "ada") is not None
    clock.moved += DEVICE_LIFE
    assert devices.known_for(cookie, "ada") is None


async def test_a_flood_of_strangers_goes_after_those_who_are_known() -> None:
    turns, order = Turns(1), []

    async def take(name: str, *, known: bool) -> None:
        async with turns.of(known=known):
            order.append(name)

    async with asyncio.TaskGroup() as group:
        async with turns.of(known=False):
            flood = [group.create_task(take("stranger", known=False)) for _ in range(WAITING_MAX)]
            await asyncio.sleep(0)
            with pytest.raises(Unavailable):
                await take("one too many", known=False)
            owner = group.create_task(take("owner", known=True))
            await asyncio.sleep(0)
            flood[0].cancel()
        await owner
    assert order == ["owner"] + ["stranger"] * (WAITING_MAX - 1)
    async with turns.of(known=False):
        pass


async def test_a_turn_that_comes_with_a_cancellation_is_passed_on() -> None:
    turns = Turns(1)

    async def take() -> None:
        async with turns.of(known=False):
            pass

    async with turns.of(known=False):
        cancelled, waiting = asyncio.create_task(take()), asyncio.create_task(take())
        await asyncio.sleep(0)
    # The turn was given to the first, which is cancelled before it runs again.
    cancelled.cancel()
    await waiting
    assert cancelled.cancelled()
