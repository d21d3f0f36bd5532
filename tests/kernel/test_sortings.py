"""What a handler carries is copied for each application; an order of a list must survive that."""

from __future__ import annotations

from copy import deepcopy

from sqlalchemy import column, select
from sqlalchemy.dialects.postgresql import asyncpg

from marketplace.kernel.pages import Sorting


def test_an_order_of_a_list_is_copied_after_it_was_used() -> None:
    number = column("number")
    sorting = Sorting(number, default="number", number=number)
    # Compiling makes the column's type remember the driver, a module.
    str(select(number).where(number > 1).compile(dialect=asyncpg.dialect()))
    assert deepcopy({"sorting": sorting})["sorting"].page(10).sort == "number"
