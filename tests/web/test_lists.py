"""What every list of the API can do: pages in any order, and all rows as CSV."""

from __future__ import annotations

import csv
import io

from tests.auctions.tenders.tendering import draft
from tests.people import NewPerson, Person


async def with_keys(new_buyer: NewPerson, *names: str) -> Person:
    buyer = await new_buyer()
    for name in names:
        body = {"name": name, "scopes": ["orders:read"]}
        answer = await buyer.client.post("/api/v1/api_keys", json=body)
        assert answer.status_code == 201, answer.text
    return buyer


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


async def test_a_short_list_is_paged_and_sorted_like_any_other(new_buyer: NewPerson) -> None:
    buyer = await with_keys(new_buyer, "b", "c", "a")
    names, query = [], {"limit": "1", "sort": "name"}
    while True:
        answer = await buyer.client.get("/api/v1/api_keys", params=query)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        assert len(page["items"]) == 1
        names += [item["name"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert names == ["a", "b", "c"]


async def test_a_minus_sorts_downwards(new_buyer: NewPerson) -> None:
    buyer = await with_keys(new_buyer, "b", "c", "a")
    answer = await buyer.client.get("/api/v1/api_keys", params={"sort": "-name"})
    assert [item["name"] for item in answer.json()["items"]] == ["c", "b", "a"]


async def test_an_order_or_a_page_that_is_not_there_is_refused(new_buyer: NewPerson) -> None:
    buyer = await with_keys(new_buyer, "a")
    wrong = {
        "sort": ("colour", "unknown_sort"),
        "limit": ("0", "out_of_range"),
        "cursor": ("7777", "bad_cursor"),
    }
    for name, (value, code) in wrong.items():
        answer = await buyer.client.get("/api/v1/api_keys", params={name: value})
        assert answer.status_code == 422, answer.text
        assert answer.json()["errors"][0]["field"] == name
        assert answer.json()["errors"][0]["code"] == code


async def test_a_list_comes_as_csv_with_all_its_rows(new_buyer: NewPerson) -> None:
    buyer = await with_keys(new_buyer, "plain", "=1+1", 'a "b", c\nd')
    answer = await buyer.client.get("/api/v1/api_keys", headers={"Accept": "text/csv"})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="api_keys.csv"'
    rows = rows_of(answer.text)
    assert {row["name"] for row in rows} == {"plain", "'=1+1", 'a "b", c\nd'}
    assert {row["scopes"] for row in rows} == {'["orders:read"]'}
    assert {row["expires_at"] for row in rows} == {""}


async def test_csv_of_a_paged_list_reads_every_page(new_buyer: NewPerson) -> None:
    buyer = await new_buyer()
    for number in range(205):  # more than the largest page
        body = {"title": f"T{number:03}", "currency": "EUR", "lots": []}
        lot = {"title": "Lot", "items": [{"name": "Pump", "quantity": "1", "unit": "C62"}]}
        rules = {"format": "english", "starts_at": "2099-01-01T10:00:00Z", "duration_s": 600}
        body["lots"] = [lot | {"rules": rules}]
        answer = await buyer.client.post("/api/v1/tenders", json=body)
        assert answer.status_code == 201, answer.text
    answer = await buyer.client.get("/api/v1/tenders", headers={"Accept": "text/csv"})
    rows = rows_of(answer.text)
    assert [row["title"] for row in rows] == [f"T{number:03}" for number in reversed(range(205))]
    assert rows[0]["buyer.id"] == str(buyer.organisation_id)


async def test_csv_is_refused_where_the_list_is(new_buyer: NewPerson) -> None:
    buyer = await new_buyer()
    answer = await buyer.client.get(
        "/api/v1/tenders", params={"cursor": "nonsense"}, headers={"Accept": "text/csv"}
    )
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_paged_list_is_read_in_any_order(new_buyer: NewPerson) -> None:
    buyer = await new_buyer()
    for title in ("b", "c", "a", "b"):
        await draft(buyer, title=title)
    for sort, expected in (("title", "abbc"), ("-title", "cbba"), ("created_at", "bcab")):
        titles, query = "", {"limit": "1", "sort": sort}
        while True:
            answer = await buyer.client.get("/api/v1/tenders", params=query)
            assert answer.status_code == 200, answer.text
            titles += "".join(item["title"] for item in answer.json()["items"])
            if answer.json()["next_cursor"] is None:
                break
            query["cursor"] = answer.json()["next_cursor"]
        assert titles == expected, sort


async def test_a_cursor_of_another_order_is_refused(new_buyer: NewPerson) -> None:
    buyer = await new_buyer()
    for title in ("a", "b"):
        await draft(buyer, title=title)
    query = {"limit": "1", "sort": "title"}
    first = await buyer.client.get("/api/v1/tenders", params=query)
    other = {"cursor": first.json()["next_cursor"], "sort": "-title"}
    answer = await buyer.client.get("/api/v1/tenders", params=other)
    assert answer.json()["errors"][0]["code"] == "bad_cursor"
