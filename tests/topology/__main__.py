"""Run a command on a topology: `python -m tests.topology cluster COMMAND…`

The database is migrated, and the command finds both URLs in its environment.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys

from marketplace.migrations.run import migrate
from tests.topology import cluster, sentinel, single, standby

TOPOLOGIES = {"single": single, "sentinel": sentinel, "cluster": cluster, "standby": standby}


async def run(name: str, command: list[str]) -> int:
    """The command's exit code."""
    async with TOPOLOGIES[name]() as topology:
        await migrate(topology.database_url)
        environment = os.environ | {
            "MARKETPLACE_DATABASE_URL": topology.database_url,
            "MARKETPLACE_REDIS_URL": topology.redis_url,
        }
        process = await asyncio.create_subprocess_exec(*command, env=environment)
        return await process.wait()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.topology", description=__doc__)
    parser.add_argument("topology", choices=TOPOLOGIES)
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    return asyncio.run(run(options.topology, options.command))


if __name__ == "__main__":
    sys.exit(main())
