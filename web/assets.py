"""Where Vite put the built modules and styles: source names in, hashed URLs out."""

from __future__ import annotations

from pathlib import Path

import msgspec

from marketplace.kernel.errors import Unavailable

DIST = Path(__file__).parent / "static" / "dist"
URL_PREFIX = "/assets/"
_FONT = "node_modules/@fontsource-variable/inter/files/inter-{}-wght-normal.woff2"
# What a language needs beside Latin; any other letters are fetched when a page shows them.
_LETTERS = {
    "ru": "cyrillic",
    "uk": "cyrillic",
    "bg": "cyrillic",
    "pl": "latin-ext",
    "ro": "latin-ext",
}


class NotBuilt(Unavailable):
    """The pages' modules were never built here; the API works all the same."""

    def __init__(self, detail: str) -> None:
        super().__init__("pages_not_built", detail)


class Chunk(msgspec.Struct, frozen=True, rename="camel"):
    """One entry of Vite's manifest (https://vite.dev/guide/backend-integration)."""

    file: str
    css: list[str] = []
    imports: list[str] = []


class Assets:
    """The manifest of one build. URLs carry a content hash and may be cached for ever."""

    def __init__(self, chunks: dict[str, Chunk]) -> None:
        self._chunks = chunks

    def url(self, name: str) -> str:
        """`src/main.ts` → `/assets/main-Bq3f.js`. Raises NotBuilt for no entry."""
        return URL_PREFIX + self._chunk(name).file

    def styles(self, name: str) -> list[str]:
        """Stylesheets of an entry and of all it imports, in the order they apply."""
        found = [css for chunk in self._closure(name) for css in chunk.css]
        return [URL_PREFIX + css for css in dict.fromkeys(found)]

    def preloads(self, name: str) -> list[str]:
        """Modules an entry will import; telling the browser early saves a round trip each."""
        return [URL_PREFIX + chunk.file for chunk in self._closure(name)[:-1]]

    def fonts(self, tag: str) -> list[str]:
        """Fonts a page in the language `tag` surely needs: fetched beside the stylesheet, they are
        there for the first text (`font-display: optional` waits no longer).
        """
        letters = ["latin", _LETTERS.get(tag.split("-")[0])]
        return [self.url(_FONT.format(each)) for each in letters if each]

    def _closure(self, name: str) -> list[Chunk]:
        """Imports first, the entry itself last, none twice."""
        found: dict[str, Chunk] = {}
        self._collect(name, found, set())
        return list(found.values())

    def _collect(self, name: str, found: dict[str, Chunk], visited: set[str]) -> None:
        if name in visited:
            return
        visited.add(name)
        chunk = self._chunk(name)
        for imported in chunk.imports:
            self._collect(imported, found, visited)
        found[name] = chunk

    def _chunk(self, name: str) -> Chunk:
        chunk = self._chunks.get(name)
        if chunk is None:
            raise NotBuilt(f"{name} is not part of the built pages: run `python -m web.build`")
        return chunk


def read_assets(dist: Path = DIST) -> Assets:
    """Raises NotBuilt, one line for the operator, when the build is missing or unreadable."""
    try:
        raw = (dist / ".vite" / "manifest.json").read_bytes()
        return Assets(msgspec.json.decode(raw, type=dict[str, Chunk]))
    except (OSError, msgspec.MsgspecError) as error:
        raise NotBuilt("the web pages are not built here: run `python -m web.build`") from error


def assets_or_none_built(dist: Path = DIST) -> Assets:
    """For an installation that may serve the API alone: every page then answers NotBuilt."""
    try:
        return read_assets(dist)
    except NotBuilt:
        return Assets({})
