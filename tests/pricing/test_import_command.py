"""`marketplace import` against the running application."""

from __future__ import annotations

import asyncio
import gzip
import json
from pathlib import Path

import pytest

from tests.people import Person, unique
from tests.pricing.conftest import API, Shop
from web.cli import main


async def run(shop: Shop, *words: str) -> int:
    """The command in a thread, while a worker works."""
    command = asyncio.create_task(asyncio.to_thread(main, ["import", *words]))
    async with asyncio.timeout(60):
        while not command.done():
            await shop.work()
            await asyncio.wait([command], timeout=0.1)
    return command.result()


async def test_prices_by_command_line(
    shop: Shop, live_server: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key, file = tmp_path / "key", tmp_path / "prices.csv"
    key.write_text(await shop.person.api_key("prices:read", "prices:write", "accounts:read"))
    file.write_text("sku,unit,currency,price\nA,C62,EUR,10\nB,C62,EUR,x\n")
    words = [str(file), "--url", live_server, "--key-file", str(key), "--list", shop.list_id]
    failed = tmp_path / "failed.csv"
    rejected = ["--on-error", "reject_rows", "--failed-rows", str(failed)]
    assert await run(shop, *words, "--mode", "replace", *rejected) == 0
    told = capsys.readouterr().out
    assert "2 read, 1 valid, 1 invalid" in told
    assert "row 3, price: malformed_number" in told
    assert failed.read_text().splitlines()[1].startswith("B,C62,EUR,x,3")
    assert await shop.prices() == {"A": "10.00"}
    assert await run(shop, *words) == 1
    assert "1 rows are invalid" in capsys.readouterr().err


async def test_how_the_file_is_written_by_command_line(
    shop: Shop, live_server: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key, file = tmp_path / "key", tmp_path / "prices.csv"
    key.write_text(await shop.person.api_key("prices:read", "prices:write", "accounts:read"))
    text = "2026^^^^\nNr^ME^Whg^VK^Text\nA^C62^PLN^1.250^Śruba\n"
    file.write_bytes(text.encode("cp1250"))
    words = [str(file), "--url", live_server, "--key-file", str(key), "--list", shop.list_id]
    columns = ["Nr=sku", "ME=unit", "Whg=currency", "VK=price", "Text=name"]
    words += ["--delimiter", "^", "--decimal", ".", "--header-row", "2"]
    words += [word for pair in columns for word in ("--column", pair)]
    assert await run(shop, *words) == 1
    asked = capsys.readouterr()
    assert "--encoding cp1250: A^C62^PLN^1.250^Śruba" in asked.out
    assert await run(shop, *words, "--encoding", "windows-1250") == 0
    assert "Read as cp1250, delimiter '^', column names in row 2" in capsys.readouterr().out
    assert [(line["name"], line["price"]["amount"]) for line in await shop.lines()] == [
        ("Śruba", "1.25")
    ]
    assert await run(shop, *words[:7], "--column", "price") == 1


async def test_code_lists_by_command_line(
    shop: Shop, operator: Person, live_server: str, tmp_path: Path
) -> None:
    key, scheme = tmp_path / "key", f"T{unique('')[-6:].replace('-', '0').upper()}"
    key.write_text(await operator.api_key())
    codes, units = tmp_path / "codes.json.gz", tmp_path / "units.json"
    codes.write_bytes(gzip.compress(json.dumps({"03000000-1": "Farming"}).encode()))
    units.write_text(json.dumps({"H87": {"name": "piece", "symbol": ""}}))
    words = ["--url", live_server, "--key-file", str(key), "--list-version", "built-in"]
    assert await run(shop, str(codes), "--classification", scheme, *words) == 0
    assert await run(shop, str(units), "--units", *words) == 0
    found = (await shop.client.get(f"{API}/classifications/{scheme}")).json()["items"]
    assert [code["name"] for code in found] == ["Farming"]
