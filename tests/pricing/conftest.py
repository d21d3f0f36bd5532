"""A supplier with a price list, and uploads that are worked on at once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from marketplace.kernel.clock import Clock
from marketplace.kernel.db import Database
from pricing.imports.run import work_imports
from tests.people import Person, unique

Upload = Callable[..., Awaitable[dict[str, Any]]]
API = "/api/v1"


class Shop:
    """A supplier and its list, as an integrator sees them."""

    def __init__(self, person: Person, database: Database, list_id: str) -> None:
        self.person = person
        self.client: httpx.AsyncClient = person.client
        self.supplier_id = str(person.organisation_id)
        self.list_id = list_id
        self._database = database

    async def begin(self, **fields: Any) -> dict[str, Any]:
        body = {"price_list_id": self.list_id, **fields}
        answer = await self.client.post(f"{API}/price_imports", json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def send(self, import_id: str, content: bytes) -> httpx.Response:
        return await self.client.put(f"{API}/price_imports/{import_id}/content", content=content)

    async def work(self) -> None:
        await work_imports(self._database, Clock())

    async def upload(self, content: bytes | str, **fields: Any) -> dict[str, Any]:
        """Begin, send, work; the import as it is then."""
        begun = await self.begin(**fields)
        data = content.encode() if isinstance(content, str) else content
        sent = await self.send(begun["id"], data)
        assert sent.status_code == 200, sent.text
        await self.work()
        return await self.show(begun["id"])

    async def show(self, import_id: str) -> dict[str, Any]:
        answer = await self.client.get(f"{API}/price_imports/{import_id}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def post(self, import_id: str, verb: str, **body: Any) -> httpx.Response:
        return await self.client.post(f"{API}/price_imports/{import_id}/{verb}", json=body)

    async def errors(self, import_id: str) -> list[dict[str, Any]]:
        answer = await self.client.get(f"{API}/price_imports/{import_id}/errors")
        assert answer.status_code == 200, answer.text
        return [httpx.Response(200, content=line).json() for line in answer.text.splitlines()]

    async def diff(self, import_id: str, **query: Any) -> dict[str, Any]:
        answer = await self.client.get(f"{API}/price_imports/{import_id}/diff", params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def lines(self, version: int | None = None) -> list[dict[str, Any]]:
        number = version if version is not None else (await self.price_list())["version"]
        if number == 0:
            return []
        path = f"{API}/price_lists/{self.list_id}/versions/{number}/lines"
        answer = await self.client.get(path, params={"limit": 200})
        assert answer.status_code == 200, answer.text
        return answer.json()["items"]

    async def prices(self, version: int | None = None) -> dict[str, str]:
        """SKU → price of its first quantity break."""
        found: dict[str, str] = {}
        for line in await self.lines(version):
            found.setdefault(line["sku"], line["price"]["amount"])
        return found

    async def price_list(self) -> dict[str, Any]:
        return (await self.client.get(f"{API}/price_lists/{self.list_id}")).json()

    async def resolve(self, sku: str, person: Person | None = None, **query: Any) -> Any:
        client = (person or self.person).client
        params = {"item": sku, "supplier": self.supplier_id, **query}
        return await client.get(f"{API}/prices/resolve", params=params)


NewShop = Callable[..., Awaitable[Shop]]


@pytest.fixture
async def new_shop(new_supplier: Any, database: Database) -> NewShop:
    async def make(person: Person | None = None, **fields: Any) -> Shop:
        person = person or await new_supplier()
        body = {"name": unique("Prices"), **fields}
        answer = await person.client.post(f"{API}/price_lists", json=body)
        assert answer.status_code == 201, answer.text
        return Shop(person, database, answer.json()["id"])

    return make


@pytest.fixture
async def shop(new_shop: NewShop) -> Shop:
    return await new_shop()
