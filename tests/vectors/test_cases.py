"""Every case beside these tests, and the command that runs such files."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers import Place
from tests.vectors.cases import failure, kind_of, known_kinds, load, module_of
from tests.vectors.world import World

TESTS = Path(__file__).parents[1]
FILES = [
    file
    for folder in ("auctions/vectors", "pricing/vectors", "vectors/files")
    for file in sorted((TESTS / folder).rglob("*.json"))
    if file.name.partition(".")[0] in known_kinds() or file.parent.name in known_kinds()
]
CASES = [(file, whole) for file in FILES for whole in json.loads(file.read_text())["cases"]]


@pytest.fixture(scope="module")
def world(servers: Place) -> World:
    return World(lambda: servers)


@pytest.mark.parametrize(
    ("file", "name"),
    [(file, whole.get("name") or whole["id"]) for file, whole in CASES],
    ids=[f"{kind_of(file)}-{whole.get('name') or whole['id']}" for file, whole in CASES],
)
async def test_the_product_answers_as_the_case_says(file: Path, name: str, world: World) -> None:
    case = next(case for case in load(file, world) if case.name == name)
    assert await failure(module_of(kind_of(file)), case) is None


def test_every_kind_has_cases() -> None:
    assert {kind_of(file) for file in FILES} == known_kinds()


def _command(*files: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.vectors", *files],
        cwd=TESTS.parent,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_command_names_what_fails(tmp_path: Path) -> None:
    whole = json.loads((TESTS / "auctions/vectors/abnormally_low.json").read_text())
    count = len(whole["cases"])
    whole["cases"][0]["expected_reasons"] = ["another"]
    file = tmp_path / "abnormally_low.more.json"
    file.write_text(json.dumps(whole))
    done = _command(file)
    assert done.returncode == 1, done.stderr
    first, last = done.stdout.splitlines()
    assert first.startswith(f"FAIL abnormally_low.more {whole['cases'][0]['id']}")
    assert last == f"abnormally_low.more: passed {count - 1} of {count}"


def test_the_command_passes_what_is_right_and_refuses_what_it_does_not_know(tmp_path: Path) -> None:
    right = TESTS / "auctions/vectors/dutch.json"
    done = _command(right)
    assert (done.returncode, done.stdout) == (0, "dutch: passed 3 of 3\n")
    unknown = tmp_path / "nothing.json"
    unknown.write_text("{}")
    done = _command(unknown, right)
    assert done.returncode == 1
    assert done.stdout.startswith(f"FAIL {unknown}: no kind of this name")
    assert _command().returncode == 2
