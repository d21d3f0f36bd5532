"""Every check on a list without lines; and an upload whose worker meets an error."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from marketplace.kernel.clock import Clock, Micros
from marketplace.kernel.db import Database
from pricing.imports import run
from pricing.imports.run import work_imports
from tests.pricing.conftest import NewShop, Shop

HEADER = "sku,unit,currency,price,min_quantity,valid_from,valid_to\n"
MODES = ["merge", "replace", "patch"]


@pytest.mark.parametrize("mode", MODES)
async def test_a_zero_price_in_a_first_upload_is_held(shop: Shop, mode: str) -> None:
    rows = "A,C62,EUR,0,,,\nB,C62,EUR,0.00,,,\nC,C62,EUR,5,,,\nD,C62,EUR,n/a,,,\n"
    done = await shop.upload(HEADER + rows, mode=mode, on_error="reject_rows")
    assert (done["state"], done["rows"]["held"], done["rows"]["invalid"]) == ("published", 2, 1)
    assert await shop.prices() == {"C": "5.00"}
    codes = {(found["row"], found["code"]) for found in await shop.errors(done["id"])}
    assert codes == {(2, "zero_price"), (3, "zero_price"), (5, "not_a_number")}
    assert (await shop.post(done["id"], "commit", confirm_held=2)).status_code == 200
    await shop.work()
    assert await shop.prices() == {"A": "0.00", "B": "0.00", "C": "5.00"}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ("A,C62,EUR,1,,,\nA,C62,EUR,2,,,\n", "overlap"),
        ("A,C62,EUR,1,,,\nA,C62,EUR,1,,,\n", "duplicate_row"),
        ("A,C62,EUR,1,,2027-01-01,2027-06-30\nA,C62,EUR,2,1,2027-06-30,\n", "overlap"),
        ("A,C62,EUR,1,#delete,,\nA,C62,EUR,x,5,,\n", "ladder_incomplete"),
        ("A,C62,EUR,0,,,\nA,C62,EUR,1,5,,\n", "ladder_held"),
    ],
)
async def test_every_check_runs_on_an_empty_list(
    shop: Shop, mode: str, rows: str, code: str
) -> None:
    done = await shop.upload(HEADER + rows, mode=mode, on_error="reject_rows", dry_run=True)
    assert done["state"] == "ready", done
    assert code in {found["code"] for found in await shop.errors(done["id"])}
    await shop.diff(done["id"])


@pytest.mark.parametrize("head", ["sku,price", "sku,unit,price", "sku,currency,unit"])
async def test_a_patch_of_an_empty_list_finds_nothing_to_patch(shop: Shop, head: str) -> None:
    cells = {"sku": "A", "price": "5", "unit": "C62", "currency": "EUR"}
    row = ",".join(cells[name] for name in head.split(","))
    done = await shop.upload(f"{head}\n{row}\n", mode="patch")
    assert (done["state"], done["failure"]["code"]) == ("failed", "rows_invalid")
    assert [found["code"] for found in await shop.errors(done["id"])] == ["nothing_to_patch"]


class _LaterClock(Clock):
    """When the next attempt of an interrupted upload is due."""

    def now_us(self) -> Micros:
        return Micros(super().now_us() + timedelta(minutes=5) // timedelta(microseconds=1))


async def test_a_certain_error_is_reported_at_once_and_blocks_nobody(
    shop: Shop, new_shop: NewShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = await new_shop(shop.person)
    validate = run.validate

    async def broken_for_one_list(*args: Any) -> Any:
        if args[3].skus == 0 and args[3].mode == "replace":
            raise KeyError("d")
        return await validate(*args)

    monkeypatch.setattr(run, "validate", broken_for_one_list)
    begun = await shop.begin(mode="replace")
    await shop.send(begun["id"], (HEADER + "A,C62,EUR,1,,,\n").encode())
    with capture_logs() as logged:
        done = await other.upload(HEADER + "A,C62,EUR,1,,,\n")
    assert done["state"] == "published"
    failed = await shop.show(begun["id"])
    assert (failed["state"], failed["failure"]["code"]) == ("failed", "internal_error")
    [line] = [line for line in logged if line["event"] == "price_import_broke"]
    assert line["reference"] in failed["failure"]["detail"]


async def test_an_interruption_is_tried_again_and_holds_up_its_own_list_only(
    shop: Shop, new_shop: NewShop, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = await new_shop(shop.person)
    validate, interrupted = run.validate, []

    async def interrupted_once(*args: Any) -> Any:
        if not interrupted:
            interrupted.append(args[2])
            raise ConnectionResetError
        return await validate(*args)

    monkeypatch.setattr(run, "validate", interrupted_once)
    first = await shop.begin()
    await shop.send(first["id"], (HEADER + "A,C62,EUR,1,,,\n").encode())
    await shop.work()
    assert (await shop.show(first["id"]))["state"] == "validating"
    second = await shop.upload(HEADER + "A,C62,EUR,1.10,,,\n")
    assert second["state"] == "reading", "it would be overwritten by the older upload"
    assert (await other.upload(HEADER + "A,C62,EUR,1,,,\n"))["state"] == "published"
    await work_imports(database, _LaterClock())
    assert [(await shop.show(each["id"]))["state"] for each in (first, second)] == ["published"] * 2
    assert await shop.prices() == {"A": "1.10"}
