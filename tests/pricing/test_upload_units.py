"""Units as people write them, in headers as people name them; names that begin with a sign."""

from __future__ import annotations

from typing import Any

import pytest

from tests.people import unique
from tests.pricing.conftest import API, Shop

HEADER = "sku;unit;currency;price;name\n"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("C62", ["C62", "c62"]),
        ("H87", ["H87", "Stk", "STK.", "шт", "szt.", "buc", "pcs", "ks", "db", "kom", "pz"]),
        ("EA", ["EA", "ea"]),
        ("MTK", ["m²", "кв.м", "qm", "mtk"]),
        ("KGM", ["kg", "кг", "KGS"]),
    ],
)
async def test_words_become_codes(shop: Shop, code: str, words: list[str]) -> None:
    rows = "".join(f"A{n};{word};EUR;1,50;\n" for n, word in enumerate(words))
    done = await shop.upload(HEADER + rows, mode="replace")
    assert done["state"] == "published", await shop.errors(done["id"])
    assert await shop.errors(done["id"]) == []
    assert [line["unit"] for line in await shop.lines()] == [code] * len(words)


async def test_an_unknown_unit_is_an_error(shop: Shop) -> None:
    rows = "A;furlongs;EUR;1,50;\nB;QQQ;EUR;1,50;\nC;;EUR;1,50;\nD;Stk;EUR;1,50;\n"
    done = await shop.upload(HEADER + rows, mode="replace", on_error="reject_rows")
    errors = await shop.errors(done["id"])
    assert [(e["row"], e["code"], e["severity"]) for e in errors] == [
        (2, "unknown_unit", "error"),
        (3, "unknown_unit", "error"),
        (4, "missing", "error"),
    ]
    assert "C62" in errors[0]["hint"]
    assert await shop.prices() == {"D": "1.50"}


async def test_spellings_of_one_unit_are_one_line(shop: Shop) -> None:
    rows = "A;Stk;EUR;1,50;\nA;szt;EUR;1,60;\n"
    done = await shop.upload(HEADER + rows, mode="replace")
    assert {e["code"] for e in await shop.errors(done["id"])} == {"overlap"}
    await shop.upload(HEADER + "A;Stk;EUR;1,50;\n", mode="replace")
    await shop.upload("sku;unit;price\nA;H87;1,40\n", mode="patch")
    assert await shop.prices() == {"A": "1.40"}


async def test_all_codes_for_a_piece_stand_together(new_shop: Any, new_buyer: Any) -> None:
    """The cheapest is first, in whatever words its supplier counts pieces."""
    buyer = await new_buyer()
    body = {"name": "Item", "unit": "C62", "sku": unique("sku")}
    item = (await buyer.client.post(f"{API}/items", json=body)).json()
    spellings = ["C62", "H87", "EA", "PCE", "Stk", "c62"]
    for n, unit in enumerate(spellings):
        mine = await new_shop()
        done = await mine.upload(HEADER + f"{item['sku']};{unit};EUR;{9 - n},50;\n", mode="replace")
        assert done["state"] == "published"
    path = f"{API}/items/{item['id']}/offers"
    found = (await buyer.client.get(path, params={"currency": "EUR"})).json()["items"]
    assert [offer["normal"]["amount"] for offer in found] == [f"{n}.50" for n in range(4, 10)]
    assert {offer["normal_unit"] for offer in found} == {"C62"}


@pytest.mark.parametrize(
    "header",
    [
        "Indeks;Nazwa towaru;J.m.;Waluta;Cena netto;Ilość od;Ważne od;Termin dostawy",
        "Cod articol;Denumire produs;U.M.;Valuta;Preț unitar;Cantitate minimă;Valabil de la;"
        "Termen de livrare",
        "Codice articolo;Descrizione;Unità di misura;Valuta;Prezzo netto;Quantità minima;"
        "Valido dal;Tempi consegna",
    ],
)
async def test_headers_in_other_languages(shop: Shop, header: str) -> None:
    row = "A;Pump;szt;EUR;12,50;10;2026-01-01;14\n"
    done = await shop.upload(f"{header}\n{row}", mode="replace")
    assert done["state"] == "published", (done, await shop.errors(done["id"]))
    assert done["detected"]["ignored"] == []
    [line] = await shop.lines()
    assert (line["sku"], line["name"], line["unit"]) == ("A", "Pump", "H87")
    assert (line["price"]["amount"], line["min_quantity"]) == ("12.50", "10")
    assert (line["valid_from"], line["lead_time_days"]) == ("2026-01-01", 14)


async def test_a_sign_at_the_beginning_is_data(shop: Shop) -> None:
    names = ["+5V Regler (TO-220)", "-40 °C Sensor (IP67)", "- Ersatzteil (neu)", "+1|!"]
    rows = "".join(f"-{n}(2);C62;EUR;1,00;{name}\n" for n, name in enumerate(names))
    rows += "X;C62;EUR;1,00;=Gleichheitszeichen\nY;C62;EUR;1,00;@home\n"
    done = await shop.upload(HEADER + rows, mode="replace", on_error="reject_rows")
    assert [(e["row"], e["code"]) for e in await shop.errors(done["id"])] == [
        (6, "formula"),
        (7, "formula"),
    ]
    assert [line["name"] for line in await shop.lines()] == names
    # What leaves is defused: the failed rows of this supplier come back with an apostrophe.
    bad = HEADER + "+1(2);C62;EUR;x;+5V Regler (TO-220)\n"
    done = await shop.upload(bad, mode="merge", on_error="reject_rows")
    path = f"{API}/price_imports/{done['id']}/errors"
    text = (await shop.client.get(path, params={"format": "csv"})).text
    assert "'+1(2);" in text
    assert ";'+5V Regler (TO-220);" in text
