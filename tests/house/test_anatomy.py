"""Import-linter's contracts cover every feature, and they catch what they are there for."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

FLOORS = ("marketplace", "auctions", "suppliers", "ratings", "pricing", "web")
PARTS = frozenset(["api", "jobs", "service", "queries", "life", "models", "schemas", "rules"])
"""What the anatomy of a feature names; a package with two of them is a feature."""

# What the rules of all features may import is looked at by name, so they need no list.
PLANTED = {
    "auctions/rules/core/planted.py": "import sqlalchemy\n",
    "marketplace/orders/rules.py": "import sqlalchemy\n",
    "suppliers/programme/rules.py": "from suppliers.programme import service\n",
    "pricing/lists/queries.py": "from pricing.lists import service\n",
    "ratings/service/views.py": "from ratings import api\n",
    "marketplace/exchange/jobs.py": "import apscheduler\n",
    "pricing/identifiers.py": "from auctions.rules.core import state\n",
}
CAUGHT = (
    "auctions.rules.core.planted -> sqlalchemy",
    "marketplace.orders.rules -> sqlalchemy",
    "suppliers.programme.rules -> suppliers.programme.service",
    "pricing.lists.queries -> pricing.lists.service",
    "ratings.service.views -> ratings.api",
    "marketplace.exchange.jobs -> apscheduler",
    "pricing.identifiers -> auctions.rules.core.state",
)


def features(repository: Path) -> set[str]:
    found = set()
    for floor in FLOORS[:-1]:
        for folder in [repository / floor, *(repository / floor).rglob("*/")]:
            names = {path.stem for path in folder.glob("*.py")}
            names |= {path.parent.name for path in folder.glob("*/__init__.py")}
            if len(PARTS & names) > 1:
                found.add(".".join(folder.relative_to(repository).parts))
    return found


def test_the_anatomy_is_held_for_every_feature(repository: Path) -> None:
    config = tomllib.loads((repository / "pyproject.toml").read_text())
    contracts = config["tool"]["importlinter"]["contracts"]
    anatomy = next(each for each in contracts if each.get("id") == "anatomy")
    # Auctions are a floor: their `rules` are a layer of it, which a contract of their own holds.
    assert features(repository) - set(anatomy["containers"]) - {"auctions"} == set()


def test_planted_violations_are_caught(repository: Path, tmp_path: Path) -> None:
    """A copy of the product with one wrong import each; the linter names every one."""
    for floor in FLOORS:
        shutil.copytree(
            repository / floor,
            tmp_path / floor,
            ignore=lambda folder, names: [
                name
                for name in names
                if not name.endswith(".py")
                and (name == "node_modules" or not (Path(folder) / name).is_dir())
            ],
        )
    shutil.copy(repository / "pyproject.toml", tmp_path)
    for path, line in PLANTED.items():
        with (tmp_path / path).open("a") as file:
            file.write(line)
    found = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(tmp_path), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 1, found.stdout
    assert [line for line in CAUGHT if line not in found.stdout] == []
