"""No format is named outside its own file: a new one needs no search through the rest."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from auctions.rules.formats import FORMATS

PRODUCT = ("auctions", "marketplace", "pricing", "ratings", "suppliers", "web")
SUFFIXES = {".py", ".html", ".ts", ".css", ".js"}
NOT_OURS = {"node_modules", "dist", "versions"}
"""Libraries, built pages, migrations: what was once written there stays."""

REGISTRY = {"auctions/rules/formats/__init__.py", "auctions/rules/formats/hybrids.py"}

OTHER_MEANINGS = {
    # The state of an offer that is not opened yet.
    ("auctions/tenders/life.py", "sealed"),
    ("auctions/tenders/rules.py", "sealed"),
    ("web/templates/own_offer.html", "sealed"),
    # A word of a page in the place of a price that nobody sees.
    ("web/templates/parts/figures.html", "sealed"),
    # The column that holds a share of a tender's key.
    ("web/rotation.py", "sealed"),
    # The language of PostgreSQL's text search.
    ("pricing/catalogue/queries.py", "english"),
    # A field of `you` in the public contract: this bidder waits for the last word.
    ("auctions/rules/views/visibility.py", "last_word"),
    ("auctions/practice/strategy.py", "last_word"),
}


def files(repository: Path) -> Iterator[Path]:
    for folder in PRODUCT:
        for path in sorted((repository / folder).rglob("*")):
            if path.suffix in SUFFIXES and not NOT_OURS & set(path.parts):
                yield path


def owns(path: str, name: str) -> bool:
    """Whether this is the format's own Python or TypeScript file, or one that lists formats."""
    return path in REGISTRY or path in {
        f"auctions/rules/formats/{name}.py",
        f"web/src/formats/{name}.ts",
    }


def strays(repository: Path, name: str) -> list[str]:
    """Where a format is named outside its own files."""
    quoted = re.compile(rf"""(["']){name}\1""")
    # Words of everyday language, such as rounds, are looked for as names only.
    pattern = re.compile(name, re.IGNORECASE) if name in {"dutch", "japanese"} else quoted
    return [
        f"{path}:{number}: {line.strip()[:80]}"
        for found in files(repository)
        if not owns(path := str(found.relative_to(repository)), name)
        and (path, name) not in OTHER_MEANINGS
        and not path.endswith(".test.ts")
        for number, line in enumerate(found.read_text().splitlines(), start=1)
        if pattern.search(line)
    ]


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_is_named_in_its_own_files_only(repository: Path, name: str) -> None:
    found = strays(repository, name)
    assert found == [], "ask a fact of the format instead, or put this into its file"


@pytest.mark.parametrize(
    ("name", "path", "line"),
    [
        ("english", "auctions/live/desk.py", 'if state.now.format == "english":'),
        ("rounds", "web/src/auction/page.ts", "if (phase.format === 'rounds') return;"),
        ("japanese", "web/pages/terms.py", "# The Japanese clock drops who is silent."),
        ("sealed", "web/templates/tender.html", '{% if format == "sealed" %}'),
    ],
)
def test_a_name_that_strays_is_found(tmp_path: Path, name: str, path: str, line: str) -> None:
    planted = tmp_path / path
    planted.parent.mkdir(parents=True)
    for folder in PRODUCT:
        (tmp_path / folder).mkdir(exist_ok=True)
    planted.write_text(f"\n{line}\n")
    assert strays(tmp_path, name) == [f"{path}:2: {line}"]


def test_every_exception_is_still_needed(repository: Path) -> None:
    for path, name in OTHER_MEANINGS:
        assert name in (repository / path).read_text(), f"{path} no longer says {name}"


def test_every_format_has_its_page_module(repository: Path) -> None:
    folder = repository / "web" / "src" / "formats"
    for name in FORMATS:
        assert f'name: "{name}"' in (folder / f"{name}.ts").read_text()
