"""Pricing's anatomy: statements stand in queries, columns in their table, rules are pure."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import pricing
from pricing.imports import columns

ROOT = Path(pricing.__file__).parent
STATEMENT = re.compile(
    r"\s*(SELECT\s|INSERT\s+INTO\s|UPDATE\s+\w+\s+SET|DELETE\s+FROM|WITH\s+\w+\s+AS|CREATE\s|"
    r"ALTER\s|DROP\s|ANALYZE\s|COPY\s|SET\s+(LOCAL\s+)?\w+\s*=)"
)
FILES = sorted(ROOT.rglob("*.py"))


def texts(source: str) -> Iterator[str]:
    return (
        node.value
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


def is_for_statements(path: Path) -> bool:
    return path.name in {"queries.py", "models.py"} or path.parent.name == "queries"


def statements(source: str) -> list[str]:
    return [text for text in texts(source) if STATEMENT.match(text)]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_statements_stand_in_queries(path: Path) -> None:
    source = path.read_text()
    if is_for_statements(path):
        assert '.replace("{' not in source, "a statement is put together by replacing words"
    else:
        assert statements(source) == []


def test_a_statement_elsewhere_would_be_seen() -> None:
    assert statements('x = f"SELECT a FROM {b}"') != []
    assert statements('"""Update the list."""') == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_columns_are_listed_once(path: Path) -> None:
    """Fields of rows and wire structs have the columns' names; lists of these names are made."""
    if path == Path(columns.__file__):
        return
    for text in texts(path.read_text()):
        named = [name for name in columns.NAMES if re.search(rf"\b{name}\b", text)]
        assert len(named) < 12, text[:200]
