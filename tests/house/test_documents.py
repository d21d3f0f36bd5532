"""What the documents name exists: a reader who follows a path must not end in nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

FOLDERS = "marketplace|auctions|suppliers|ratings|pricing|web|tests|benchmarks|docs|clients"
_PATH = re.compile(rf"`((?:{FOLDERS})/[\w./*-]*)`")
_LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)")


def documents(repository: Path) -> Iterator[Path]:
    yield from repository.glob("*.md")
    yield from (repository / "docs").glob("*.md")
    for folder in FOLDERS.split("|"):
        for path in (repository / folder).rglob("README.md"):
            if "node_modules" not in path.parts:
                yield path


def missing_paths(repository: Path, document: Path) -> list[str]:
    """Paths in backticks, from the repository's root, with `*` as in a shell."""
    named = _PATH.findall(document.read_text())
    return [path for path in named if not any(repository.glob(path.rstrip("/")))]


def missing_links(document: Path) -> list[str]:
    """Targets of relative links."""
    links = _LINK.findall(document.read_text())
    return [link for link in links if not (document.parent / link).exists()]


def test_every_path_and_link_in_the_documents_exists(repository: Path) -> None:
    missing = {
        str(document.relative_to(repository)): found
        for document in documents(repository)
        if (found := missing_paths(repository, document) + missing_links(document))
    }
    assert missing == {}


@pytest.mark.parametrize("text", ["`docs/nowhere.md`", "`tests/house/*.nothing`"])
def test_a_path_that_does_not_exist_is_found(repository: Path, tmp_path: Path, text: str) -> None:
    document = tmp_path / "README.md"
    document.write_text(f"See {text}.")
    assert missing_paths(repository, document) == [text.strip("`")]


def test_a_link_that_leads_nowhere_is_found(tmp_path: Path) -> None:
    document = tmp_path / "README.md"
    document.write_text("See [the page](gone.md) and [that](https://example.com).")
    assert missing_links(document) == ["gone.md"]
