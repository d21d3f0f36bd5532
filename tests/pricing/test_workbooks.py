"""Workbooks as people see them: visible sheets in the order of their tabs, titles, typed cells."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping, Sequence

import pytest

from pricing.imports.check.exports import workbook
from pricing.imports.read.formats.workbook import formula_cells, measure
from tests.pricing.conftest import Shop

HEAD = ["sku", "unit", "currency", "price"]
TABLE = [HEAD, ["A", "C62", "EUR", "12.5"]]
OLD = [HEAD, ["A", "C62", "EUR", "9.99"]]
FORMULA = '<c r="D2"><f>1+1</f><v>2</v></c>'
PLAIN = '<c r="D2" t="inlineStr"><is><t xml:space="preserve">12.5</t></is></c>'

Rows = Sequence[Sequence[str]]


def book(
    sheets: Mapping[str, Rows],
    *,
    hidden: Mapping[str, str] | None = None,
    parts: Mapping[str, str] | None = None,
    change: Mapping[str, tuple[str, str]] | None = None,
) -> bytes:
    """A workbook whose tabs stand in the order given. `parts` names the entries of sheets, and
    `change` replaces a text in the XML of one.
    """
    entries = {name: (parts or {}).get(name, f"sheet{n}.xml") for n, name in enumerate(sheets, 1)}
    tabs = "".join(
        f'<sheet name="{name}" sheetId="{n}" state="{(hidden or {}).get(name, "visible")}"'
        f' r:id="rId{n}"/>'
        for n, name in enumerate(sheets, 1)
    )
    relations = "".join(
        f'<Relationship Id="rId{n}" Type="http://schemas.openxmlformats.org/officeDocument/2006'
        f'/relationships/worksheet" Target="worksheets/{entries[name]}"/>'
        for n, name in enumerate(sheets, 1)
    )
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        template = zipfile.ZipFile(io.BytesIO(workbook([["x"]])))
        for name in template.namelist():
            body = template.read(name).decode()
            body = re.sub(r"<sheet name=.*?/>", tabs, body)
            if name == "xl/_rels/workbook.xml.rels":
                body = re.sub(r"<Relationship Id=.*?/>", relations, body)
            if "worksheets" not in name:
                archive.writestr(name, body)
        for name, rows in sheets.items():
            one = zipfile.ZipFile(io.BytesIO(workbook([list(row) for row in rows])))
            body = one.read("xl/worksheets/sheet1.xml").decode()
            old, new = (change or {}).get(name, ("", ""))
            assert old in body, "nothing to change"
            archive.writestr(
                f"xl/worksheets/{entries[name]}", body.replace(old, new) if old else body
            )
    return file.getvalue()


@pytest.mark.parametrize("state", ["hidden", "veryHidden"])
async def test_the_first_visible_sheet_is_read_and_named(shop: Shop, state: str) -> None:
    content = book(
        {"2025": OLD, "2026": TABLE, "2027": OLD},
        hidden={"2025": state},
        # Entries of the archive stand in another order than the tabs.
        parts={"2026": "sheet9.xml", "2025": "sheet1.xml", "2027": "sheet10.xml"},
    )
    done = await shop.upload(content, format="xlsx")
    assert done["state"] == "published", done
    assert (done["detected"]["sheet"], done["detected"]["sheets"]) == ("2026", ["2026", "2027"])
    assert await shop.prices() == {"A": "12.50"}


async def test_a_sheet_is_named_and_remembered(shop: Shop) -> None:
    content = book(
        {"Cover": [["Prices of 2026"]], "2025": OLD, "2026": TABLE}, hidden={"2025": "hidden"}
    )
    asked = await shop.upload(content, format="xlsx")
    assert (asked["failure"]["code"], asked["detected"]["sheets"]) == (
        "columns_missing",
        ["Cover", "2026"],
    )
    missing = await shop.upload(content, format="xlsx", reading={"sheet": "2024"})
    assert missing["failure"]["code"] == "no_such_sheet"
    said = await shop.upload(content, format="xlsx", reading={"sheet": "2025"})
    assert (said["state"], await shop.prices()) == ("published", {"A": "9.99"})
    said = await shop.upload(content, format="xlsx", reading={"sheet": "2026"})
    again = await shop.upload(content, format="xlsx")
    assert (again["state"], again["detected"]["sheet"]) == ("published", "2026")
    every = book({"2026": TABLE}, hidden={"2026": "hidden"})
    assert (await shop.upload(every, format="xlsx"))["failure"]["code"] == "no_visible_sheet"


async def test_formulas_count_in_the_sheet_that_is_read(shop: Shop) -> None:
    hidden = {"Old": "hidden"}
    formula_elsewhere = book(
        {"Old": TABLE, "New": TABLE}, hidden=hidden, change={"Old": (PLAIN, FORMULA)}
    )
    assert (await shop.upload(formula_elsewhere, format="xlsx"))["state"] == "published"
    formula_here = book(
        {"Old": TABLE, "New": TABLE}, hidden=hidden, change={"New": (PLAIN, FORMULA)}
    )
    done = await shop.upload(formula_here, format="xlsx", on_error="reject_rows")
    assert [(e["row"], e["column"], e["code"]) for e in await shop.errors(done["id"])] == [
        (2, "price", "formula")
    ]


@pytest.mark.parametrize(
    "written",
    [
        '<c s="1" r="D2"><f>1+1</f><v>2</v></c>',
        '<c r="D2" t="n"><f t="shared" ref="D2:D9" si="0">C2*2</f><v>2</v></c>',
        '<c r="D2"><v>2</v><f/></c>',
        "<c><f>1+1</f><v>2</v></c>",
        '<c\n r="D2"\n><f\n>1+1</f></c>',
    ],
)
def test_a_formula_is_seen_however_it_is_written(
    tmp_path_factory: pytest.TempPathFactory, written: str
) -> None:
    path = tmp_path_factory.mktemp("book") / "prices.xlsx"
    path.write_bytes(book({"Prices": TABLE}, change={"Prices": (PLAIN, written)}))
    assert formula_cells(path, "Prices", measure(path), first_column=0) == {2: [3]}


async def test_titles_above_the_table_and_breaks_in_its_head(shop: Shop) -> None:
    rows = [
        ["", "Price list 2026", "", "", ""],
        ["", "", "", "", ""],
        ["", "sku", "Unit\nof measure", "currency", "price"],
        ["", "A", "C62", "EUR", "1.5"],
        ["", "B", "C62", "EUR", "x"],
    ]
    done = await shop.upload(book({"Prices": rows}), format="xlsx", on_error="reject_rows")
    assert (done["detected"]["header_row"], await shop.prices()) == (3, {"A": "1.50"})
    assert [(e["row"], e["code"]) for e in await shop.errors(done["id"])] == [
        (5, "malformed_number")
    ]


async def test_cells_beside_the_corner_keep_their_row_numbers(shop: Shop) -> None:
    content = book({"Prices": [["", ""], ["", *HEAD], ["", "A", "C62", "EUR", "x"]]})
    done = await shop.upload(content, format="xlsx")
    assert [found["row"] for found in await shop.errors(done["id"])] == [3]


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ('<c r="A2"><v>1.23456789012345E+17</v></c>', "damaged_sku"),
        ('<c r="A2" t="d"><v>2026-01-02T00:00:00</v></c>', "damaged_sku"),
        ('<c r="A2"><v>4006381333931</v></c>', None),
        (None, None),
    ],
)
async def test_article_numbers_that_became_numbers(
    shop: Shop, cell: str | None, code: str | None
) -> None:
    sku = "1234567890123450" if cell is None else "A"
    text = f'<c r="A2" t="inlineStr"><is><t xml:space="preserve">{sku}</t></is></c>'
    content = book({"P": [HEAD, [sku, "C62", "EUR", "1"]]}, change={"P": (text, cell or text)})
    done = await shop.upload(content, format="xlsx")
    assert [found["code"] for found in await shop.errors(done["id"])] == ([code] if code else [])
