"""A worker that makes acts and nothing else, to be killed."""

from __future__ import annotations

import asyncio
import sys

from marketplace.kernel.clock import Clock
from marketplace.kernel.db import Database
from marketplace.ledger.acts.jobs import work_act_runs


async def main(url: str) -> None:
    database = Database(url)
    try:
        await work_act_runs(database, Clock())
    finally:
        await database.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
