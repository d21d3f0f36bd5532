"""`marketplace` as a person or a script runs it: real processes, exit codes, one-line errors."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from marketplace.kernel.settings import Settings, environment
from tests.people import PASSWORD, NewPerson, unique
from web.cli import COMMANDS
from web.serve import trusted_peers

READY = "Marketplace is ready at "
Process = asyncio.subprocess.Process


async def start(*arguments: str, env: dict[str, str] | None = None) -> Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "web.cli",
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=quick(bare() if env is None else env),
    )


def quick(env: dict[str, str]) -> dict[str, str]:
    """Compiled modules are kept between the processes started here, whatever is set outside."""
    return {name: text for name, text in env.items() if name != "PYTHONDONTWRITEBYTECODE"}


def bare() -> dict[str, str]:
    """The environment without any of our settings."""
    return {name: text for name, text in os.environ.items() if not name.startswith("MARKETPLACE_")}


async def run(
    *arguments: str, given: str = "", env: dict[str, str] | None = None
) -> tuple[int, str, str]:
    """Exit code, standard output and standard error."""
    process = await start(*arguments, env=env)
    out, err = await process.communicate(given.encode())
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


@asynccontextmanager
async def serving(*arguments: str, env: dict[str, str] | None = None) -> AsyncIterator[str]:
    """The address of a `marketplace serve` that answers; it is ended by SIGTERM, in good order."""
    process = await start("serve", "--port", "0", *arguments, env=env)
    assert process.stdout is not None
    assert process.stderr is not None
    reading = asyncio.create_task(process.stderr.read())
    try:
        async with asyncio.timeout(60):
            line = (await process.stdout.readline()).decode()
        assert line.startswith(READY), line or await reading
        yield line.removeprefix(READY).strip()
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(30):
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        await reading


@pytest.mark.parametrize("command", ["", *COMMANDS])
async def test_every_command_explains_itself(command: str) -> None:
    code, out, err = await run(*([command] if command else []), "--help")
    assert (code, err) == (0, "")
    assert out.startswith("usage: marketplace")


@pytest.mark.parametrize(
    "wrong", [[], ["dance"], ["serve", "--port", "high"], ["operator", "--name", "x"]]
)
async def test_wrong_usage_exits_2(wrong: list[str]) -> None:
    code, _, err = await run(*wrong)
    assert code == 2
    assert "usage: marketplace" in err


async def test_one_server_without_the_other_is_one_line_and_exit_1() -> None:
    env = bare() | {"MARKETPLACE_DATABASE_URL": "postgresql://nowhere/x"}
    code, out, err = await run("migrate", env=env)
    assert (code, out) == (1, "")
    assert err.count("\n") == 1
    assert err.startswith("marketplace: Set both")


async def test_a_database_that_is_away_is_one_line_and_exit_1() -> None:
    env = bare() | {
        "MARKETPLACE_DATABASE_URL": "postgresql://x@127.0.0.1:1/x",
        "MARKETPLACE_REDIS_URL": "redis://127.0.0.1:1",
    }
    code, _, err = await run("migrate", env=env)
    assert code == 1
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("command", "change", "word"),
    [
        (
            "operator",
            {"MARKETPLACE_DATABASE_URL": "postgresql://x@127.0.0.1:1/x"},
            "Connect call failed",
        ),
        ("operator", {"MARKETPLACE_DATABASE_URL": "{url}nowhere"}, "nowhere"),
        ("migrate", {"MARKETPLACE_DATABASE_URL": "{url}nowhere"}, "nowhere"),
        ("serve", {"MARKETPLACE_DATABASE_URL": "mysql://x@h/x"}, "MARKETPLACE_DATABASE_URL"),
        ("worker", {"MARKETPLACE_DATABASE_URL": "postgres://h/x?sslmode=on"}, "sslmode"),
        ("serve", {"MARKETPLACE_REDIS_URL": "localhost:6379"}, "MARKETPLACE_REDIS_URL"),
    ],
)
async def test_a_start_that_fails_says_why_in_one_line(
    settings: Settings, command: str, change: dict[str, str], word: str
) -> None:
    socket = settings.database_url.partition("host=")[2]
    url = f"postgresql://postgres@/?host={socket.strip('?')}&dbname="
    changed = {name: text.replace("{url}", url) for name, text in change.items()}
    more = ["--name", "H", "--email", "h@example.com", "--password-stdin"]
    arguments = [command, *(more if command == "operator" else [])]
    code, out, err = await run(
        *arguments, given=f"{PASSWORD}\n", env=environment(settings) | changed
    )
    assert (code, out, err.count("\n")) == (1, "", 1), err
    assert err.startswith("marketplace: ")
    assert word in err


async def test_a_port_in_use_is_one_line_and_exit_1(live_server: str, settings: Settings) -> None:
    port = live_server.rpartition(":")[2]
    code, _, err = await run("serve", "--port", port, env=environment(settings))
    assert code == 1
    assert err == f"marketplace: Port {port} on 127.0.0.1 is not free: Address already in use\n"


async def test_with_servers_of_its_own_it_serves_and_takes_an_operator(tmp_path: Path) -> None:
    async with serving("--data", str(tmp_path), "--nodes", "2") as url:
        async with httpx.AsyncClient(base_url=url) as client:
            assert (await client.get("/readyz")).status_code == 200
        make = ["operator", "--name", "House", "--email", "house@example.com", "--password-stdin"]
        code, out, err = await run(*make, "--data", str(tmp_path), given=f"{PASSWORD}\n")
        assert (code, err) == (0, "")
        assert "house@example.com" in out
        code, _, err = await run(*make, "--data", str(tmp_path), given=f"{PASSWORD}\n")
        assert code == 1
        assert err.count("\n") == 1
        async with httpx.AsyncClient(base_url=url) as client:
            login = {"email": "house@example.com", "password": PASSWORD}
            answer = await client.post("/api/v1/sessions", json=login)
            assert answer.json()["operator"] is True
    # What was made is still there, and nothing runs any more that would be in the way.
    async with serving("--data", str(tmp_path)) as url, httpx.AsyncClient(base_url=url) as client:
        assert (await client.post("/api/v1/sessions", json=login)).status_code == 201


async def test_a_node_on_configured_servers_serves_in_its_own_process(settings: Settings) -> None:
    async with serving(env=environment(settings)) as url, httpx.AsyncClient() as client:
        body = {"email": f"{unique('x')}@example.com", "password": PASSWORD}
        answer = await client.post(f"{url}/api/v1/sessions", json=body)
        assert answer.status_code == 401


async def test_a_worker_runs_until_it_is_told_to_stop(settings: Settings) -> None:
    process = await start("worker", env=environment(settings))
    assert process.stderr is not None
    async with asyncio.timeout(30):
        while b"worker_ready" not in await process.stderr.readline():
            pass
        process.send_signal(signal.SIGTERM)
        await process.communicate()
    assert process.returncode == 0


async def test_an_operator_without_a_password_is_not_made(settings: Settings) -> None:
    make = ["operator", "--name", "House", "--email", "h@example.com", "--password-stdin"]
    code, _, err = await run(*make, env=environment(settings))
    assert (code, err) == (1, "marketplace: No password came on standard input.\n")


async def test_a_client_is_known_by_what_trusted_proxies_say_and_nobody_else(
    settings: Settings, new_buyer: NewPerson
) -> None:
    buyer = await new_buyer()
    env = environment(settings) | {"MARKETPLACE_TRUSTED_PROXIES": "127.0.0.1, 198.51.100.0/24"}
    async with serving(env=env) as url, httpx.AsyncClient(base_url=url) as client:
        login = {"email": buyer.email, "password": PASSWORD}
        # What the client wrote itself, what the outer balancer saw, what the inner one saw.
        headers = {"X-Forwarded-For": "203.0.113.66, 192.0.2.9, 198.51.100.1"}
        assert (await client.post("/api/v1/sessions", json=login, headers=headers)).is_success
        sessions = (await client.get("/api/v1/sessions")).json()["items"]
    assert [each["address"] for each in sessions if each["current"]] == ["192.0.2.9"]


def test_a_socket_for_both_protocols_knows_its_proxies_by_either_name() -> None:
    trusted = trusted_peers(["10.0.0.7/32", "fd00::/8"])
    assert trusted == ["10.0.0.7/32", "::ffff:10.0.0.7/128", "fd00::/8"]
