"""SQL stands in `queries.py`, `models.py` and migrations: a service names what it asks for."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.test_files import PACKAGES, sources

# In capitals, as all SQL here is written; a sentence about it has no table behind the word.
_SQL = re.compile(
    r"\bSELECT\b.+\bFROM\b|\bSELECT\s+\w+\(|\bINSERT\s+INTO\b|\bDELETE\s+FROM\b"
    r"|\bUPDATE\s+\S+\s+(\S+\s+)?SET\b",
    re.DOTALL,
)
_READS = frozenset(["select", "text"])
"""Names of SQLAlchemy that make a query. A service may write rows: it takes insert, update and
delete.
"""

EXCEPTIONS = {
    "auctions/book/books.py": "the first row of a book, in the transaction that opens it",
    "auctions/book/epoch.py": "the fence of a new epoch: read and move the head under one lock",
    "auctions/book/journal.py": "the fence: one statement moves the head and records the batch",
    "auctions/book/receipts.py": "the signing key, made once under a lock",
    "auctions/book/trial.py": "asks whether PostgreSQL writes; it is about no table",
    "marketplace/kernel/db.py": "for whom a transaction reads",
    "marketplace/kernel/idempotency.py": "stored answers, in the transaction of each request",
    "marketplace/kernel/lease.py": "renews a row of any table by its token",
    "marketplace/kernel/pages.py": "puts the rows of any query in order",
    "marketplace/kernel/scope.py": "for whom a transaction reads",
    "marketplace/kernel/secret.py": "runs before any service: is this the installation's secret?",
    "marketplace/kernel/statements.py": "what queries are made with",
    "marketplace/kernel/workflow.py": "the history of any subject, made of its table",
    "marketplace/ledger/credits/prizes.py": "a prize is taken under a lock",
    "marketplace/ledger/credits/purses.py": "lots are used under a lock, statements of one idea",
    "marketplace/ledger/credits/requests.py": "a request is answered under a lock",
    "marketplace/ledger/posting.py": "one statement posts an entry and moves its balances",
    "suppliers/programme/measures.py": "a measure is a query: title, SQL and unit stand together",
    "web/conditions.py": "writers of one object take turns by an advisory lock; no table",
    "web/rotation.py": "columns that hold sealed values, of any table",
}


def belongs(path: Path) -> bool:
    name = path.name
    return (
        name in {"models.py", "queries.py"}
        or name.endswith("_queries.py")
        or bool({"queries", "migrations"} & set(path.parts))
    )


def strays(tree: ast.Module) -> Iterator[str]:
    """SQL text and makers of queries in a module, with their lines."""
    parents = {id(child): node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "sqlalchemy":
            for name in sorted(_READS & {alias.name for alias in node.names}):
                yield f"{node.lineno}: imports {name}"
        elif _SQL.search(text := _text(node)) and not isinstance(
            parents[id(node)], ast.Expr | ast.JoinedStr
        ):
            yield f"{node.lineno}: {' '.join(text.split())[:60]}"


def _text(node: ast.AST) -> str:
    """Of a string, or of an f-string with `{}` for each value."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part) or "{}" for part in node.values)
    return ""


def found_in(repository: Path) -> dict[str, list[str]]:
    found = {}
    for path in sources(repository, *PACKAGES):
        within = path.relative_to(repository)
        if not belongs(within) and (lines := list(strays(ast.parse(path.read_text())))):
            found[str(within)] = lines
    return found


def test_sql_stands_in_its_place(repository: Path) -> None:
    found = found_in(repository)
    assert {path: lines for path, lines in found.items() if path not in EXCEPTIONS} == {}
    assert set(EXCEPTIONS) - set(found) == set(), "these need to be no exceptions any more"


@pytest.mark.parametrize(
    "line",
    [
        'ROWS = "SELECT id FROM orders"',
        'LOCK = "SELECT pg_advisory_xact_lock(1)"',
        'async def forget(session): await session.execute(f"DELETE FROM {table} WHERE id = 1")',
        'MOVE = f"""UPDATE {table} t\n  SET state = :state"""',
        "ADD = 'INSERT INTO orders (id)' ' VALUES ($1)'",
        "from sqlalchemy import select, update",
    ],
)
def test_planted_sql_is_found(tmp_path: Path, line: str) -> None:
    for package in PACKAGES:
        (tmp_path / package).mkdir()
    planted = tmp_path / "marketplace" / "orders" / "service.py"
    planted.parent.mkdir()
    planted.write_text(f'"""Orders."""\n\n{line}\n')
    (planted.parent / "queries.py").write_text(f'"""Orders."""\n\n{line}\n')
    assert list(found_in(tmp_path)) == ["marketplace/orders/service.py"]


@pytest.mark.parametrize(
    "line",
    [
        '"""The caller holds it FOR UPDATE: SELECT what is due FROM the queue."""',
        "from sqlalchemy import delete, insert, update",
        'WORDS = "UPDATE the price, then SELECT a supplier"',
    ],
)
def test_words_about_sql_are_none(line: str) -> None:
    assert list(strays(ast.parse(f"def act():\n    {line}"))) == []
