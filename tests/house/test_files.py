"""Who may import what, and that every module says what it is."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from importlinter.cli import lint_imports

PACKAGES = ("marketplace", "auctions", "suppliers", "ratings", "pricing", "web")
# The wire frameworks have their places; everything else is plain Python.
_KNOWS_LITESTAR = re.compile(r"web\..*|.*\.api(\..*)?|auctions\.live\.socket")
_KNOWS_APSCHEDULER = re.compile(r"web\.worker")


def sources(repository: Path, *folders: str) -> Iterator[Path]:
    for folder in folders:
        yield from sorted((repository / folder).glob("*.py"))
        for inner in sorted((repository / folder).iterdir()):
            if inner.is_dir() and inner.name not in {"node_modules", "static"}:
                yield from sources(repository, str(inner.relative_to(repository)))


def module_of(repository: Path, path: Path) -> str:
    return ".".join(path.relative_to(repository).with_suffix("").parts).removesuffix(".__init__")


def imports_of(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


@pytest.mark.parametrize(
    ("library", "allowed"),
    [("litestar", _KNOWS_LITESTAR), ("apscheduler", _KNOWS_APSCHEDULER)],
)
def test_a_wire_framework_stays_in_its_place(
    repository: Path, library: str, allowed: re.Pattern[str]
) -> None:
    strays = [
        module_of(repository, path)
        for path in sources(repository, *PACKAGES)
        if any(name.partition(".")[0] == library for name in imports_of(path))
        and not allowed.fullmatch(module_of(repository, path))
    ]
    assert strays == []


def test_the_rules_of_auctions_import_nothing_but_pure_words(repository: Path) -> None:
    pure = {f"marketplace.kernel.{name}" for name in ("money", "ids", "errors", "clock")}
    strays = [
        f"{module_of(repository, path)} imports {name}"
        for path in sources(repository, "auctions/rules")
        for name in imports_of(path)
        if name.partition(".")[0] in {"marketplace", "web", "pricing", "ratings", "suppliers"}
        and name not in pure
    ]
    assert strays == []


def test_every_package_says_what_it_is(repository: Path) -> None:
    silent = [
        str(path.relative_to(repository))
        for path in sources(repository, *PACKAGES)
        if path.read_text().strip() and ast.get_docstring(ast.parse(path.read_text())) is None
    ]
    assert silent == []


def test_floors_and_anatomy_hold(repository: Path) -> None:
    config = str(repository / "pyproject.toml")
    assert lint_imports(config_filename=config, cache_dir=None) == 0
