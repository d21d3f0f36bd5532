"""How pages are built: no page imports a page, each takes a visit, templates can be read."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.test_files import imports_of

BESIDE_A_VISIT = {
    "verify": "open to programs too, with a body of 16 MiB; it names a visitor, if there is one",
}
"""Modules whose handlers take a request, and why."""
IN_A_VISIT = frozenset(["request", "session", "actor"])
HANDLERS = frozenset(["get", "post"])


def handlers(tree: ast.Module) -> Iterator[ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.AsyncFunctionDef) and any(
            isinstance(each, ast.Call) and ast.unparse(each.func) in HANDLERS
            for each in node.decorator_list
        ):
            yield node


def pages(folder: Path) -> dict[str, Path]:
    """Modules with a handler, by name."""
    found = {path.stem: path for path in sorted(folder.glob("*.py"))}
    return {
        name: path for name, path in found.items() if any(handlers(ast.parse(path.read_text())))
    }


def imports_of_pages(folder: Path) -> list[str]:
    known = {f"web.pages.{name}" for name in pages(folder)}
    return [
        f"{path.stem} imports {name}"
        for path in sorted(folder.glob("*.py"))
        # The package lists all pages.
        if path.stem != "__init__"
        for name in imports_of(path)
        if name in known
    ]


def without_visit(folder: Path) -> list[str]:
    return [
        f"{name}: {handler.name} takes {argument.arg}"
        for name, path in pages(folder).items()
        for handler in handlers(ast.parse(path.read_text()))
        for argument in handler.args.args
        if argument.arg in IN_A_VISIT
    ]


@pytest.fixture
def folder(repository: Path) -> Path:
    return repository / "web" / "pages"


def test_no_page_imports_a_page(folder: Path) -> None:
    assert len(pages(folder)) > 20
    # Both were written at the same time: the page of an agreement is to get a module of its own.
    assert imports_of_pages(folder) == ["agreements imports web.pages.programme"]


def test_every_page_takes_a_visit(folder: Path) -> None:
    strays = [
        line for line in without_visit(folder) if line.partition(":")[0] not in BESIDE_A_VISIT
    ]
    assert strays == []


def test_planted_pages_are_found(tmp_path: Path) -> None:
    handler = '@get("/")\nasync def show(request, session): ...\n'
    (tmp_path / "orders.py").write_text(handler)
    (tmp_path / "tenders.py").write_text(f"from web.pages.orders import show\n{handler}")
    assert imports_of_pages(tmp_path) == ["tenders imports web.pages.orders"]
    assert "orders: show takes session" in without_visit(tmp_path)
