"""An upload from begin to published: what a supplier's integrator meets."""

from __future__ import annotations

from tests.pricing.conftest import Shop

HEADER = "sku,unit,currency,price,min_quantity\n"


async def test_a_csv_becomes_a_version(shop: Shop) -> None:
    done = await shop.upload(HEADER + "A,C62,EUR,10.00,1\nA,C62,EUR,9.50,10\nB,KGM,EUR,3.25,\n")
    assert done["state"] == "published", done
    assert done["rows"] == {
        "read": 3,
        "valid": 3,
        "invalid": 0,
        "applied": 3,
        "unchanged": 0,
        "held": 0,
    }
    assert [stage["name"] for stage in done["stages"]] == [
        "uploading",
        "reading",
        "validating",
        "publishing",
    ]
    lines = await shop.lines()
    assert [(ln["sku"], ln["min_quantity"], ln["price"]["amount"]) for ln in lines] == [
        ("A", "1", "10.00"),
        ("A", "10", "9.50"),
        ("B", "1", "3.25"),
    ]
