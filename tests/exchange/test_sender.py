"""Sending to servers that fail, hang, redirect, babble, or hide in the own network."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime

import pytest

from marketplace.exchange.addresses import NotAllowed, is_public, read_url
from marketplace.exchange.sender import NotSent, Sender
from marketplace.kernel.clock import Clock
from tests.exchange import receiver
from tests.exchange.receiver import Receiver


class Names:
    """A resolver that answers from a list, and counts."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked = 0

    async def __call__(self, host: str, port: int) -> list[str]:
        self.asked += 1
        return self.answers.pop(0)


async def test_what_arrives_is_what_was_sent() -> None:
    async with Receiver(receiver.INTERIM + receiver.OK).running() as there:
        answer = await Sender(private=True).post(there.url, {"webhook-id": "1"}, b"{}")
    assert (answer.status, answer.ok) == (204, True)
    [got] = there.got
    assert got.line == "POST /hook?a=1 HTTP/1.1"
    assert got.headers["host"] == f"127.0.0.1:{there.port}"
    assert got.headers["webhook-id"] == "1"
    assert got.body == b"{}"


async def test_a_failure_is_told_with_a_piece_of_the_answer() -> None:
    async with Receiver(receiver.FAILED).running() as there:
        answer = await Sender(private=True).post(there.url, {}, b"{}")
    assert (answer.status, answer.ok, answer.excerpt) == (500, False, "oops")


async def test_patience_is_heard() -> None:
    async with Receiver(receiver.BUSY).running() as there:
        assert (await Sender(private=True).post(there.url, {}, b"{}")).retry_after_s == 7_200


NOW = datetime(2026, 12, 1, 10, 0, 0, 250_000, tzinfo=UTC)


class _At(Clock):
    def now(self) -> datetime:
        return NOW


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("Tue, 01 Dec 2026 10:00:20 GMT", 20),
        ("Tuesday, 01-Dec-26 10:00:20 GMT", 20),
        ("Tue Dec  1 10:00:20 2026", 20),
        ("Tue, 01 Dec 2026 12:00:20 +0200", 20),
        ("Tue, 01 Dec 2026 09:59:00 GMT", 0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 86_400),
        ("7", 7),
        ("99999999999999999999", 86_400),
        ("-7", None),
        ("soon", None),
        ("Tue, 41 Dec 2026 10:00:20 GMT", None),
        ("Tue, 01 Dec 2026 10:00:20 +9999", None),
        ("", None),
    ],
)
async def test_patience_is_seconds_or_a_date(text: str, seconds: int | None) -> None:
    busy = f"HTTP/1.1 429 Slow\r\nRETRY-AFTER: {text}\r\nContent-Length: 0\r\n\r\n".encode()
    async with Receiver(busy).running() as there:
        answer = await Sender(private=True, clock=_At()).post(there.url, {}, b"{}")
    assert (answer.status, answer.retry_after_s) == (429, seconds)


async def test_a_receiver_that_hangs_is_left() -> None:
    async with Receiver(None).running() as there:
        begun = time.monotonic()
        with pytest.raises(NotSent, match="No answer in time"):
            await Sender(private=True, timeout_s=0.3).post(there.url, {}, b"{}")
        assert time.monotonic() - begun < 5


@pytest.mark.parametrize("babble", [receiver.GARBAGE, receiver.ENDLESS, b"HTTP/1.1 banana\r\n\r\n"])
async def test_what_is_no_http_is_no_answer(babble: bytes) -> None:
    async with Receiver(babble).running() as there:
        with pytest.raises(NotSent, match="not HTTP"):
            await Sender(private=True).post(there.url, {}, b"{}")


async def test_a_redirect_is_not_followed() -> None:
    async with Receiver().running() as secret:
        moved = f"HTTP/1.1 302 Found\r\nLocation: {secret.url}\r\n\r\n".encode()
        async with Receiver(moved).running() as there:
            answer = await Sender(private=True).post(there.url, {}, b"{}")
    assert (answer.status, answer.ok) == (302, False)
    assert secret.got == []


@pytest.mark.parametrize(
    "found",
    [["127.0.0.1"], ["10.0.0.7"], ["93.184.216.34", "169.254.169.254"], ["::ffff:127.0.0.1"]],
)
async def test_a_name_that_leads_inside_is_not_connected_to(found: list[str]) -> None:
    async with Receiver().running() as there:
        url = f"https://hook.example.com:{there.port}/"
        with pytest.raises(NotSent, match="not of the public internet"):
            await Sender(resolver=Names(found)).post(url, {}, b"{}")
        assert there.got == []


async def test_a_name_is_asked_once_and_the_connection_goes_to_that_answer() -> None:
    """A second answer, other than the first, never matters."""
    names = Names(["127.0.0.1"], ["203.0.113.1"])
    async with Receiver().running() as there:
        url = f"http://hook.example.com:{there.port}/"
        answer = await Sender(private=True, resolver=names).post(url, {}, b"{}")
    assert answer.ok
    assert names.asked == 1
    assert there.got[0].headers["host"] == f"hook.example.com:{there.port}"


async def test_nobody_there_is_no_connection() -> None:
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    with pytest.raises(NotSent, match="No connection"):
        await Sender(private=True).post(f"http://127.0.0.1:{port}/", {}, b"{}")


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0",
        "100.64.0.1", "224.0.0.1", "255.255.255.255", "::", "::1", "fe80::1%eth0", "fc00::1",
        "ff02::1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::", "2001:0:4136::1", "x",
        "192.0.0.9", "192.88.99.1", "198.18.0.1", "240.0.0.1", "fec0::1", "100::1", "2001:db8::1",
        "3fff::1", "5f00::1", "64:ff9b:1::5db8:d822", "::7f00:1", "::ffff:0:7f00:1", "4000::1",
        "2001:20::1", "2002:7f00:1::1", "64:ff9b::7f00:1", "2606:4700::5efe:a00:1",
        "2606:4700::200:5efe:7f00:1", "0:0:0:0:0:ffff:169.254.169.254", "2620:4f:8000::1",
    ],
)  # fmt: skip
def test_addresses_of_the_own_network_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1", "64:ff9b::5db8:d822"])
def test_addresses_of_the_internet_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/", "ftp://example.com/", "https://user@example.com/", "https:///x",
        "https://example.com/#x", "https://127.0.0.1/", "https://[::1]/", "https://10.0.0.1:8443/",
        "https://example.com:99999/", "https://exam ple.com/", "https://example.com/\r\nX: y",
    ],
)  # fmt: skip
def test_urls_that_are_no_endpoints(url: str) -> None:
    with pytest.raises(NotAllowed):
        read_url(url, private=False)
