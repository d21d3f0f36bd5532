"""What docs/uploading-prices.md says to type works as it stands there."""

from __future__ import annotations

import asyncio
import re
import shutil
import sys
from pathlib import Path

import pytest

from tests.pricing.conftest import API, Shop

GUIDE = Path(__file__).parents[2] / "docs" / "uploading-prices.md"


def block(language: str, url: str, key: str) -> str:
    """The first block of code in `language`, for this server and key."""
    found = re.search(rf"```{language}\n(.*?)```", GUIDE.read_text(), re.S)
    assert found is not None
    return found[1].replace("http://127.0.0.1:8000", url).replace("prefix.secret", key)


async def typed(shop: Shop, folder: Path, *command: str) -> str:
    """What the command says, while a worker works."""
    process = await asyncio.create_subprocess_exec(
        *command, cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    ended = asyncio.create_task(process.communicate())
    async with asyncio.timeout(60):
        while not ended.done():
            await shop.work()
            await asyncio.wait([ended], timeout=0.1)
    out, err = ended.result()
    assert process.returncode == 0, err.decode()
    return out.decode()


async def published(shop: Shop) -> list[int]:
    """Numbers of prices of the supplier's lists."""
    query = {"supplier": shop.supplier_id}
    lists = (await shop.client.get(f"{API}/price_lists", params=query)).json()["items"]
    return [found["lines"] for found in lists if found["name"] == "Prices 2026"]


async def test_the_first_call_by_curl_and_by_python(
    shop: Shop, live_server: str, tmp_path: Path
) -> None:
    if not all(map(shutil.which, ("bash", "curl", "jq"))):
        pytest.skip("bash, curl or jq is not installed on this machine")
    key = await shop.person.api_key("prices:read", "prices:write")
    told = await typed(shop, tmp_path, "bash", "-ec", block("sh", live_server, key))
    assert told.endswith("published\n")
    assert await published(shop) == [3]
    told = await typed(shop, tmp_path, sys.executable, "-c", block("python", live_server, key))
    assert told == "version 1\n"
    assert await published(shop) == [3, 3]
