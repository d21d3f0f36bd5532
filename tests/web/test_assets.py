"""The built pages: found by source name, missing ones told in one line."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from web.assets import NotBuilt, assets_or_none_built, read_assets

MANIFEST = {
    "src/main.ts": {"file": "main-1.js", "css": ["main-1.css"], "imports": ["_a.js"]},
    "src/page.ts": {"file": "page-1.js", "css": ["page-1.css"], "imports": ["_a.js", "_b.js"]},
    "_a.js": {"file": "a-1.js", "imports": ["_b.js"]},
    "_b.js": {"file": "b-1.js", "css": ["b-1.css"], "imports": ["_a.js"]},
}
FONTS = "node_modules/@fontsource-variable/inter/files"
MANIFEST |= {
    f"{FONTS}/inter-{letters}-wght-normal.woff2": {"file": f"{letters}-1.woff2"}
    for letters in ("latin", "latin-ext", "cyrillic")
}


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    (tmp_path / ".vite").mkdir()
    (tmp_path / ".vite" / "manifest.json").write_bytes(msgspec.json.encode(MANIFEST))
    return tmp_path


def test_an_entry_brings_all_it_imports_once(dist: Path) -> None:
    assets = read_assets(dist)
    assert assets.url("src/page.ts") == "/assets/page-1.js"
    assert assets.styles("src/page.ts") == ["/assets/b-1.css", "/assets/page-1.css"]
    assert assets.preloads("src/page.ts") == ["/assets/b-1.js", "/assets/a-1.js"]


@pytest.mark.parametrize(
    ("tag", "letters"),
    [("en", []), ("de-AT", []), ("pl", ["latin-ext"]), ("ro", ["latin-ext"]), ("ru", ["cyrillic"])],
)
def test_a_page_fetches_the_letters_of_its_language_early(
    dist: Path, tag: str, letters: list[str]
) -> None:
    fonts = read_assets(dist).fonts(tag)
    assert fonts == [f"/assets/{each}-1.woff2" for each in ("latin", *letters)]


def test_a_missing_build_is_one_line_that_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NotBuilt, match=r"not built here: run `python -m web\.build`$"):
        read_assets(tmp_path)
    with pytest.raises(NotBuilt, match="run"):
        assets_or_none_built(tmp_path).url("src/main.ts")


def test_a_broken_manifest_reads_as_a_missing_build(dist: Path) -> None:
    (dist / ".vite" / "manifest.json").write_text("{")
    with pytest.raises(NotBuilt):
        read_assets(dist)
