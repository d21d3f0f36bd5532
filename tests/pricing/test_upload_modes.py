"""What each mode does to the list, and what it leaves alone."""

from __future__ import annotations

import pytest

from tests.pricing.conftest import Shop

HEADER = "sku,unit,currency,price,min_quantity,lead_time_days,name\n"
THREE = HEADER + "A,C62,EUR,10.00,1,5,Pump\nA,C62,EUR,9.00,10,5,Pump\nB,C62,EUR,20.00,1,,Valve\n"


@pytest.fixture
async def stocked(shop: Shop) -> Shop:
    assert (await shop.upload(THREE, mode="replace"))["state"] == "published"
    return shop


async def ladder(shop: Shop, sku: str) -> list[tuple[str, str]]:
    return [
        (ln["min_quantity"], ln["price"]["amount"]) for ln in await shop.lines() if ln["sku"] == sku
    ]


async def test_replace_drops_what_the_file_does_not_name(stocked: Shop) -> None:
    done = await stocked.upload(HEADER + "A,C62,EUR,10.50,1,,\n", mode="replace", dry_run=False)
    # One of two SKUs would go: that is more than a fifth.
    assert (done["state"], done["removals"]["confirm"]) == ("ready", 1)
    refused = await stocked.post(done["id"], "commit")
    assert (refused.status_code, refused.json()["code"]) == (409, "confirm_removals")
    assert (await stocked.post(done["id"], "commit", confirm_removals=1)).status_code == 200
    await stocked.work()
    assert (await stocked.show(done["id"]))["state"] == "published"
    assert await ladder(stocked, "A") == [("1", "10.50")]
    assert await ladder(stocked, "B") == []


async def test_a_blank_cell_leaves_the_value_and_delete_removes_it(stocked: Shop) -> None:
    done = await stocked.upload(
        HEADER + "A,C62,EUR,10.50,1,,#delete\nA,C62,EUR,9.00,10,7,\n", mode="merge"
    )
    assert done["state"] == "published", done
    first, second = [ln for ln in await stocked.lines() if ln["sku"] == "A"]
    assert (first["lead_time_days"], first["name"]) == (5, None)
    assert (second["lead_time_days"], second["name"]) == (7, "Pump")


async def test_merge_replaces_whole_ladders_and_leaves_other_skus(stocked: Shop) -> None:
    done = await stocked.upload(HEADER + "A,C62,EUR,11.00,1,,\nC,C62,EUR,1,1,,\n", mode="merge")
    assert done["state"] == "published", done
    assert await ladder(stocked, "A") == [("1", "11.00")]
    assert await ladder(stocked, "B") == [("1", "20.00")]
    assert await ladder(stocked, "C") == [("1", "1.00")]


async def test_patch_changes_named_lines_only(stocked: Shop) -> None:
    done = await stocked.upload("sku,min_quantity,price\nA,10,8.50\n", mode="patch")
    assert done["state"] == "published", done
    assert await ladder(stocked, "A") == [("1", "10.00"), ("10", "8.50")]
    assert (await stocked.price_list())["lines"] == 3


async def test_a_patch_that_fits_nowhere_or_in_two_places_is_refused(stocked: Shop) -> None:
    done = await stocked.upload(
        "sku,price\nA,8.50\nZ,1.00\nB,21.00\n", mode="patch", on_error="reject_rows"
    )
    assert done["state"] == "published", done
    found = {(e["row"], e["code"]) for e in await stocked.errors(done["id"])}
    assert found == {(2, "ambiguous_patch"), (3, "nothing_to_patch")}
    assert await ladder(stocked, "B") == [("1", "21.00")]
    assert await ladder(stocked, "A") == [("1", "10.00"), ("10", "9.00")]


async def test_the_same_file_again_changes_nothing(stocked: Shop) -> None:
    done = await stocked.upload(THREE, mode="replace")
    assert done["state"] == "published"
    assert done["rows"]["unchanged"] == 3
    assert done["rows"]["applied"] == 0
    assert (await stocked.price_list())["version"] == 1


async def test_a_wrong_row_keeps_its_whole_ladder_out(stocked: Shop) -> None:
    rows = "A,C62,EUR,10.50,1,,\nA,C62,EUR,abc,10,,\nB,C62,EUR,20.50,1,,\n"
    done = await stocked.upload(HEADER + rows, mode="replace", on_error="reject_rows")
    assert done["state"] == "published", done
    assert await ladder(stocked, "A") == [("1", "10.00"), ("10", "9.00")]
    assert await ladder(stocked, "B") == [("1", "20.50")]
    assert done["rows"] == {
        "read": 3,
        "valid": 1,
        "invalid": 2,
        "applied": 1,
        "unchanged": 0,
        "held": 0,
    }
    codes = {(e["row"], e["column"], e["code"]) for e in await stocked.errors(done["id"])}
    assert codes == {(3, "price", "malformed_number"), (2, "sku", "ladder_incomplete")}


async def test_reject_all_takes_nothing(stocked: Shop) -> None:
    done = await stocked.upload(HEADER + "A,C62,EUR,10.50,1,,\nB,,EUR,1,1,,\n", mode="merge")
    assert (done["state"], done["failure"]["code"]) == ("failed", "rows_invalid")
    assert (await stocked.price_list())["version"] == 1


async def test_overlapping_periods_name_both_rows(shop: Shop) -> None:
    head = "sku,unit,currency,price,valid_from,valid_to\n"
    rows = "A,C62,EUR,1,2026-01-01,2026-06-30\nA,C62,EUR,2,2026-06-30,\nB,C62,EUR,3,,\n"
    done = await shop.upload(head + rows, mode="replace", on_error="reject_rows")
    assert done["state"] == "published", done
    told = {e["row"]: e["message"] for e in await shop.errors(done["id"])}
    assert "row 3" in told[2]
    assert "row 2" in told[3]
    assert await shop.prices() == {"B": "3.00"}


async def test_adjacent_periods_are_no_overlap(shop: Shop) -> None:
    head = "sku,unit,currency,price,valid_from,valid_to\n"
    rows = "A,C62,EUR,1,2026-01-01,2026-06-30\nA,C62,EUR,2,2026-07-01,\n"
    assert (await shop.upload(head + rows, mode="replace"))["rows"]["applied"] == 2
    summer = await shop.resolve("A", on="2026-06-30")
    autumn = await shop.resolve("A", on="2026-07-01")
    assert summer.json()["price"]["amount"] == "1.00"
    assert autumn.json()["price"]["amount"] == "2.00"


async def test_a_patch_may_not_overlap_a_line_that_stays(shop: Shop) -> None:
    head = "sku,unit,currency,price,valid_from,valid_to\n"
    rows = "A,C62,EUR,1,2026-01-01,2026-06-30\nA,C62,EUR,2,2026-07-01,\n"
    await shop.upload(head + rows, mode="replace")
    done = await shop.upload(
        "sku,valid_from,valid_to\nA,2026-01-01,2026-12-31\n", mode="patch", on_error="reject_rows"
    )
    assert [e["code"] for e in await shop.errors(done["id"])] == ["overlap"]
    assert (await shop.price_list())["version"] == 1


async def test_a_base_version_that_is_behind_is_refused(stocked: Shop) -> None:
    body = {"price_list_id": stocked.list_id, "base_version": 0}
    answer = await stocked.client.post("/api/v1/price_imports", json=body)
    assert (answer.status_code, answer.json()["code"]) == (409, "stale_base")


async def test_a_dry_run_waits_and_shows_what_it_would_do(stocked: Shop) -> None:
    rows = "A,C62,EUR,11.00,1,,\nA,C62,EUR,9.00,10,,\nC,C62,EUR,5.00,1,,\n"
    done = await stocked.upload(HEADER + rows, mode="replace", dry_run=True)
    assert done["state"] == "ready"
    assert (await stocked.price_list())["version"] == 1
    diff = await stocked.diff(done["id"])
    assert diff["counts"] == {
        "added": 1,
        "changed": 1,
        "removed": 1,
        "unchanged": 1,
        "held": 0,
    }
    assert [(d["kind"], d["sku"], d["percent"]) for d in diff["items"]] == [
        ("changed", "A", "10"),
        ("removed", "B", None),
        ("added", "C", None),
    ]
    await stocked.post(done["id"], "commit", confirm_removals=1)
    await stocked.work()
    assert (await stocked.show(done["id"]))["state"] == "published"
    after = await stocked.diff(done["id"])
    assert after["items"] == diff["items"]
    assert await stocked.prices() == {"A": "11.00", "C": "5.00"}


async def test_roll_back_and_go_on(stocked: Shop) -> None:
    before = await stocked.lines()
    done = await stocked.upload(HEADER + "A,C62,EUR,11.00,1,,\n", mode="merge")
    assert (await stocked.post(done["id"], "rollback")).json()["state"] == "rolled_back"
    again = await stocked.post(done["id"], "rollback")
    assert again.json()["state"] == "rolled_back"
    assert await stocked.lines() == before
    assert (await stocked.price_list())["version"] == 3
    # The next upload stands on what is shown, not on what was taken back.
    done = await stocked.upload(HEADER + "B,C62,EUR,21.00,1,,\n", mode="merge")
    assert done["version"] == 4
    assert await stocked.prices() == {"A": "10.00", "B": "21.00"}
    assert await ladder(stocked, "A") == [("1", "10.00"), ("10", "9.00")]
    # And every older version still reads as it was published.
    assert await stocked.prices(1) == {"A": "10.00", "B": "20.00"}
    assert await stocked.prices(2) == {"A": "11.00", "B": "20.00"}
    assert await stocked.prices(3) == {"A": "10.00", "B": "20.00"}


async def test_only_the_newest_upload_can_be_rolled_back(stocked: Shop) -> None:
    first = await stocked.upload(HEADER + "A,C62,EUR,11.00,1,,\n", mode="merge")
    await stocked.upload(HEADER + "B,C62,EUR,21.00,1,,\n", mode="merge")
    answer = await stocked.post(first["id"], "rollback")
    assert (answer.status_code, answer.json()["code"]) == (409, "later_version")


async def test_the_first_upload_can_be_rolled_back_to_nothing(shop: Shop) -> None:
    done = await shop.upload(THREE, mode="replace")
    assert (await shop.post(done["id"], "rollback")).status_code == 200
    assert await shop.lines() == []
    done = await shop.upload(THREE, mode="replace")
    assert (done["state"], done["rows"]["applied"]) == ("published", 3)
    assert await shop.prices() == {"A": "10.00", "B": "20.00"}


@pytest.mark.parametrize("dry_run", [True, False])
async def test_cancel_before_the_worker_comes(stocked: Shop, dry_run: bool) -> None:
    begun = await stocked.begin(mode="merge", dry_run=dry_run)
    await stocked.send(begun["id"], (HEADER + "A,C62,EUR,11.00,1,,\n").encode())
    assert (await stocked.post(begun["id"], "cancel")).json()["state"] == "cancelled"
    assert (await stocked.post(begun["id"], "cancel")).status_code == 200
    await stocked.work()
    assert (await stocked.show(begun["id"]))["state"] == "cancelled"
    assert (await stocked.price_list())["version"] == 1


async def test_cancel_of_a_checked_upload_and_of_a_published_one(stocked: Shop) -> None:
    ready = await stocked.upload(HEADER + "A,C62,EUR,11.00,1,,\n", mode="merge", dry_run=True)
    assert (await stocked.post(ready["id"], "cancel")).json()["state"] == "cancelled"
    assert (await stocked.post(ready["id"], "commit")).status_code == 409
    done = await stocked.upload(HEADER + "A,C62,EUR,11.00,1,,\n", mode="merge")
    assert (await stocked.post(done["id"], "cancel")).status_code == 409
    assert (await stocked.post(done["id"], "commit")).json()["state"] == "published"


async def test_what_was_checked_is_published_without_reading_it_again(shop: Shop) -> None:
    for rows in ("A,C62,EUR,11.00,1,,\n", "NEW,C62,EUR,1.00,1,,\n"):
        ready = await shop.upload(HEADER + rows, mode="merge", dry_run=True)
        await shop.post(ready["id"], "commit")
        await shop.work()
        done = await shop.show(ready["id"])
        assert done["state"] == "published"
        begun = [{s["name"]: s["started_at"] for s in each["stages"]} for each in (ready, done)]
        assert begun[0]["reading"] == begun[1]["reading"]


async def test_somebody_else_publishes_between_check_and_commit(stocked: Shop) -> None:
    ready = await stocked.upload(HEADER + "A,C62,EUR,11.00,1,,\n", mode="merge", dry_run=True)
    await stocked.upload(HEADER + "A,C62,EUR,10.20,1,,\nB,C62,EUR,19.00,1,,\n", mode="merge")
    await stocked.post(ready["id"], "commit")
    await stocked.work()
    assert (await stocked.show(ready["id"]))["state"] == "published"
    assert await stocked.prices() == {"A": "11.00", "B": "19.00"}


async def test_two_patch_rows_for_one_line_collide_however_they_name_it(stocked: Shop) -> None:
    done = await stocked.upload(
        "sku,unit,min_quantity,price\nA,,10,8.50\nA,C62,10,8.60\n",
        mode="patch",
        on_error="reject_rows",
    )
    assert {e["code"] for e in await stocked.errors(done["id"])} == {"overlap"}
    assert await ladder(stocked, "A") == [("1", "10.00"), ("10", "9.00")]


async def test_a_large_list_is_recognised_row_by_row(shop: Shop) -> None:
    """Above the size where rows known by their text are no longer compared."""
    rows = [f"S{n:05d},C62,EUR,10.{n % 100:02d},1,,\n" for n in range(21_000)]
    assert (await shop.upload(HEADER + "".join(rows), mode="replace"))["state"] == "published"
    again = await shop.upload(HEADER + "".join(rows), mode="replace")
    assert (again["rows"]["unchanged"], again["version"]) == (21_000, 1)
    # One changed, one gone, one new, one repeated, one in conflict with a row that stays.
    rows[0] = "S00000,C62,EUR,11.00,1,,\n"
    del rows[1]
    rows += ["NEW,C62,EUR,1,1,,\n", rows[5], "S00010,C62,EUR,10.50,1,,\n"]
    done = await shop.upload(HEADER + "".join(rows), mode="replace", on_error="reject_rows")
    assert done["state"] == "published", done
    assert (done["rows"]["applied"], done["rows"]["invalid"]) == (2, 2)
    assert done["removals"]["skus"] == 1
    assert [(e["row"], e["code"]) for e in await shop.errors(done["id"])] == [
        (21_002, "duplicate_row"),
        (21_003, "overlap"),
    ]
    shown = await shop.price_list()
    assert (shown["version"], shown["lines"], shown["skus"]) == (2, 21_000, 21_000)
    assert (await shop.resolve("S00010")).json()["price"]["amount"] == "10.10"
    assert (await shop.resolve("S00001")).status_code == 404
    # The same without the two wrong rows changes nothing any more.
    calm = await shop.upload(HEADER + "".join(rows[:-2]), mode="replace")
    assert (calm["rows"]["applied"], calm["version"]) == (0, 2)
    # Written differently the prices are the same, and are recognised again the time after.
    other = [row.replace(",,\n", ",, \n") for row in rows[:-2]]
    for _ in range(2):
        same = await shop.upload(HEADER + "".join(other), mode="replace")
        assert (same["rows"]["unchanged"], same["version"]) == (21_000, 2)
    less = await shop.upload(HEADER + "".join(other[1:]), mode="replace")
    assert (less["removals"]["skus"], less["version"]) == (1, 3)
    assert (await shop.price_list())["lines"] == 20_999
