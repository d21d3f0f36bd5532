"""In which encoding a text file is written: UTF is seen, code pages are recognised by chardet over
lines of the whole file, and where several readings remain the uploader is asked.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import chardet

UTF = ("utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")
WINDOWS_AND_ISO = (
    *("cp1250", "cp1251", "cp1252", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp1258"),
    *("iso8859-1", "iso8859-2", "iso8859-5", "iso8859-7", "iso8859-9", "iso8859-13"),
    *("iso8859-15", "koi8-r", "koi8-u"),
)
DOS_AND_MAC = (
    *("cp437", "cp850", "cp852", "cp855", "cp857", "cp866"),
    *("mac-roman", "mac-latin2", "mac-cyrillic", "mac-greek", "mac-turkish"),
)
EAST_ASIAN = ("gb18030", "big5", "shift-jis", "euc-jp", "euc-kr")
ENCODINGS = (*UTF, *WINDOWS_AND_ISO, *DOS_AND_MAC, *EAST_ASIAN)
"""What may be named, and all that is looked for: programs that export prices write one of them."""

SAMPLE_BYTES_MAX = 256 << 10
"""Of lines beyond ASCII; a vocabulary of some thousand words."""
LINES_LIKE_UTF8_MAX = 50
LINES_PER_PIECE_MAX = 4_000
"""So that recognising costs a large file a second at most."""

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# Of readings that are equally plausible the first one is meant: the others are their subsets, or
# differ from them by signs that nobody writes into a price list.
_INSTEAD = {
    "iso8859-1": "cp1252",
    "iso8859-15": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-7": "cp1253",
    "iso8859-13": "cp1257",
    "cp437": "cp850",
    "koi8-u": "koi8-r",
}
_NEAR = 0.8
"""A reading that is at least this likely, compared with the best one, is a rival to ask about."""
_NEAR_UNUSUAL = 0.2
_LETTERS_MIN = 4
_WORD = re.compile(rb"[^\s;,|\"'()/]*[\x80-\xff][^\s;,|\"'()/]*")
_WORDS = re.compile(r"[^\s;,|\"'()/]+")
# Quotation marks, dashes, degrees, currencies and the like, as they stand beside and in words.
_BEFORE_WORDS = (
    "\u201e\u201c\u201d\u00ab\u00bb\u2018\u2019\u201a\u2039\u203a\u00b0\u2013"
    "\u2014\u2022\u20ac\u00a3\u00a7\u00a9\u00ae\u2122\u00b7\u2026\u00bf\u00a1\u2116"
)
_INSIDE_WORDS = "\u2019\u2018\u2013\u2014\u00b7\u2011\u02bc\u00b4\u02c8\u00ad\u200c\u200d"
_AFTER_WORDS = (
    "\u00b0\u00b2\u00b3\u00ae\u2122\u00a9%\u201e\u201c\u201d\u00ab\u00bb\u2018"
    "\u2019\u2039\u203a\u2013\u2014\u2026\u20ac\u00a3\u00b5\u00b7\u00aa\u00ba\u00a7"
)
_RUSSIAN_AND_UKRAINIAN = frozenset("абвгдеёжзийклмнопрстуфхцчшщъыьэюяіїєґ")


class Unrecognised(Exception):
    """The bytes read so far are no UTF-8; the whole file must be looked at."""


class Reading(NamedTuple):
    encoding: str
    line: str
    """The first line that other readings read otherwise."""


class Unclear(Exception):
    """Several readings are as likely."""

    def __init__(self, readings: Sequence[Reading]) -> None:
        super().__init__()
        self.readings = tuple(readings)


class Beginning(NamedTuple):
    """`proven`: the file cannot be anything else; else its first bytes are mere ASCII."""

    encoding: str
    bom_bytes: int
    proven: bool


def canonical(name: str) -> str | None:
    """The name used here for an encoding that somebody named in any usual way, or None."""
    try:
        found = codecs.lookup(name.strip()).name
    except (LookupError, ValueError, UnicodeError):
        return None
    found = {"utf-8-sig": "utf-8", "ascii": "utf-8"}.get(found, found)
    if found in {"utf-16", "utf-32"}:
        return found
    return next((each for each in ENCODINGS if codecs.lookup(each).name == found), None)


def beginning(first: bytes) -> Beginning:
    """What the first bytes of a file prove. Raises Unrecognised."""
    for bom, name in _BOMS:
        if first.startswith(bom):
            return Beginning(name, len(bom), proven=True)
    if wide := _without_bom(first):
        return Beginning(wide, 0, proven=True)
    if first.isascii():
        return Beginning("utf-8", 0, proven=False)
    try:
        codecs.getincrementaldecoder("utf-8")("strict").decode(first)
    except UnicodeDecodeError:
        raise Unrecognised from None
    return Beginning("utf-8", 0, proven=True)


def named(encoding: str, first: bytes) -> Beginning:
    """The encoding its uploader named, with the byte order mark to be skipped."""
    for bom, name in _BOMS:
        if first.startswith(bom) and name.startswith(encoding):
            return Beginning(name, len(bom), proven=True)
    if encoding in {"utf-16", "utf-32"}:
        return Beginning(_without_bom(first) or f"{encoding}-le", 0, proven=True)
    return Beginning(encoding, 0, proven=True)


def _without_bom(first: bytes) -> str | None:
    """UTF-16 or UTF-32 of mostly Latin letters, digits and signs, by its zero bytes."""
    head = first[:400]
    # In a price list one sign of four at least is a delimiter, a digit or a line break.
    zeros = [head[place::4].count(0) * 16 > len(head) for place in range(4)]
    nowhere = [head[place::4].count(0) == 0 for place in range(4)]
    if zeros[1] and zeros[3] and nowhere[0]:
        return "utf-32-le" if zeros[2] else "utf-16-le" if nowhere[2] else None
    if zeros[0] and zeros[2] and nowhere[3]:
        return "utf-32-be" if zeros[1] else "utf-16-be" if nowhere[1] else None
    return None


class Sample:
    """Lines with letters beyond ASCII, each for a word that stood in none before it."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.utf8_lines = self.other_lines = 0
        self.like_utf8: list[bytes] = []
        self._words: set[bytes] = set()
        self._size = 0
        self._rest = b""

    def add(self, piece: bytes) -> None:
        whole = self._rest + piece
        end = max(whole.rfind(b"\n"), whole.rfind(b"\r")) + 1
        self._rest = whole[end:][:SAMPLE_BYTES_MAX]
        self._take(whole[:end])

    def end(self) -> None:
        self._take(self._rest)

    def _take(self, text: bytes) -> None:
        beyond = (line for line in text.splitlines() if not line.isascii())
        for _, line in zip(range(LINES_PER_PIECE_MAX), beyond, strict=False):
            if _is_utf8(line):
                self.utf8_lines += 1
                self.like_utf8 = [*self.like_utf8[-LINES_LIKE_UTF8_MAX:], line[:4_096]]
                continue
            self.other_lines += 1
            words = set(_WORD.findall(line))
            if words <= self._words or self._size >= SAMPLE_BYTES_MAX:
                continue
            self._words |= words
            self._size += len(line)
            self.lines.append(line[:4_096])


def recognise(sample: Sample, remembered: str | None = None) -> str:
    """The encoding of a file that is not UTF-8 throughout. Where it is unclear the `remembered` one
    of an earlier file decides, if it can; else raises Unclear.
    """
    if sample.utf8_lines * 4 >= sample.other_lines and sample.utf8_lines:
        # Some broken rows of a UTF-8 file are those rows' errors, not another encoding.
        return "utf-8"
    readings = _likely(b"\n".join(sample.lines))
    best = readings[0].encoding
    if any(_is_odd_line(line.decode(best, "replace")) for line in sample.like_utf8):
        # Most rows are written one way and some another: neither reads them all.
        raise Unclear([Reading("utf-8", ""), *readings])
    if len(readings) == 1:
        return readings[0].encoding
    if remembered is not None and _reads(remembered, sample):
        return remembered
    raise Unclear(readings)


def _reads(encoding: str, sample: Sample) -> bool:
    return encoding not in UTF and not _is_broken(
        b"\n".join(sample.lines).decode(encoding, "replace")
    )


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


class _Read(NamedTuple):
    encoding: str
    likely: float
    text: str
    oddities: int


def _likely(data: bytes) -> list[Reading]:
    """The best reading first, with those that are to be asked about behind it."""
    reads = _plausible(data)
    if not reads:
        return [Reading(name, "") for name in ("cp1250", "cp1251", "cp1252")]
    best, *others = _without_subsets(reads)
    near = [best]
    for other in others:
        is_read = any(other.text == each.text for each in near)
        if not is_read and _rivalry(data, best, other) >= _nearness(best, other):
            near.append(other)
    near = _by_alphabet(near)
    if len(near) > 1:
        near += _usual(reads, near)
    return [Reading(each.encoding, _telling_line(each.text, near)) for each in near]


def _nearness(best: _Read, other: _Read) -> float:
    """How likely a reading must be, compared with the best one, to be a rival to ask about."""
    if best.encoding in WINDOWS_AND_ISO or other.encoding in DOS_AND_MAC:
        return _NEAR
    # DOS and the old Mac are rare: they are believed when there is much to read, or no other way.
    letters = sum(sign.isalpha() and ord(sign) > 127 for sign in best.text)
    return 0.0 if letters < _LETTERS_MIN else _NEAR_UNUSUAL


def _usual(reads: list[_Read], near: list[_Read]) -> list[_Read]:
    """Common readings to choose from besides, once the uploader is asked at all."""
    there = {read.text for read in near}
    common = [read for read in reads if read.encoding in {"cp1250", "cp1251", "cp1252"}]
    return [read for read in common if read.text not in there]


def _plausible(data: bytes) -> list[_Read]:
    """Readings as chardet ranks them, without those that read what nobody writes."""
    ranked = chardet.detect_all(
        data,
        ignore_threshold=True,
        max_bytes=len(data) or 1,
        compat_names=False,
        prefer_superset=False,
        include_encodings=ENCODINGS,
        no_match_encoding="cp1252",
    )
    reads = []
    for found in ranked:
        encoding = canonical(found["encoding"] or "")
        if encoding is None or encoding in UTF:
            continue
        text = data.decode(encoding, "replace")
        if not _is_broken(text):
            reads.append(_Read(encoding, found["confidence"], text, _oddities(text)))
    least = min((read.oddities for read in reads), default=0)
    return [read for read in reads if read.oddities == least]


def _without_subsets(reads: list[_Read]) -> list[_Read]:
    there = {read.encoding for read in reads}
    return [read for read in reads if _INSTEAD.get(read.encoding) not in there]


def _rivalry(data: bytes, best: _Read, other: _Read) -> float:
    """How likely `other` is beside the best reading: in the whole, and where the two differ."""
    if not best.likely:
        return 1.0
    words = {word for word in _WORD.findall(data)}
    differing = [
        word
        for word in words
        if word.decode(best.encoding, "replace") != word.decode(other.encoding, "replace")
    ]
    pair = chardet.detect_all(
        b" ".join(sorted(differing)),
        ignore_threshold=True,
        compat_names=False,
        prefer_superset=False,
        include_encodings=(best.encoding, other.encoding),
        no_match_encoding=best.encoding,
    )
    scores = {canonical(found["encoding"] or ""): found["confidence"] for found in pair}
    mine, its = scores.get(best.encoding, 0.0), scores.get(other.encoding, 0.0)
    there = its / mine if mine else 1.0
    return min(other.likely / best.likely, there)


def _by_alphabet(near: list[_Read]) -> list[_Read]:
    """Windows and the Mac write the same small Cyrillic letters: which of the two it is, the
    capitals say, which become letters of other alphabets in the wrong one.
    """
    if {read.encoding for read in near[:2]} != {"cp1251", "mac-cyrillic"} or len(near) != 2:
        return near
    foreign = [_foreign_letters(read.text) for read in near]
    if foreign[0] == foreign[1]:
        return near
    return [near[0] if foreign[0] < foreign[1] else near[1]]


def _foreign_letters(text: str) -> int:
    return sum(
        sign.isalpha() and ord(sign) > 127 and sign.lower() not in _RUSSIAN_AND_UKRAINIAN
        for sign in text
    )


def _is_broken(text: str) -> bool:
    """Signs that no price list holds: controls, unassigned and private ones."""
    return any(
        unicodedata.category(sign) in {"Cc", "Co", "Cn", "Cs"} or sign in "\ufffd\u00a4"
        for sign in set(text) - set("\t\r\n")
    )


def _is_odd_line(text: str) -> bool:
    return _is_broken(text) or _oddities(text) > 0


def _oddities(text: str) -> int:
    """Places where a word is no word: a sign between letters, a capital behind a small letter, two
    scripts in one word.
    """
    return sum(_odd_places(word) for word in _WORDS.findall(text) if not word.isascii())


def _odd_places(word: str) -> int:
    odd = sum(_is_odd_pair(a, b) for a, b in _pairs(word))
    for before, sign, after in zip(word, word[1:], word[2:], strict=False):
        if ord(sign) > 127 and not sign.isalpha() and sign not in _INSIDE_WORDS:
            odd += before.isalpha() and after.isalpha()
    if len(word) > 1:
        first, last = word[0], word[-1]
        odd += _is_sign(first) and first not in _BEFORE_WORDS and word[1].isalpha()
        odd += _is_sign(last) and last not in _AFTER_WORDS and word[-2].isalpha()
    return odd


def _pairs(word: str) -> Iterator[tuple[str, str]]:
    return ((a, b) for a, b in pairwise(word) if ord(a) > 127 or ord(b) > 127)


def _is_odd_pair(a: str, b: str) -> bool:
    if not (a.isalpha() and b.isalpha()):
        return False
    return (a.islower() and b.isupper()) or _script(a) != _script(b)


def _script(letter: str) -> str:
    if letter in "µªº":
        return "LATIN"
    return unicodedata.name(letter, "?").split()[0]


def _is_sign(sign: str) -> bool:
    return ord(sign) > 127 and not sign.isalpha()


def _telling_line(text: str, near: Iterable[_Read]) -> str:
    """The first line of a reading that another one reads otherwise."""
    columns = [read.text.split("\n") for read in near]
    for place, line in enumerate(text.split("\n")):
        if any(place >= len(lines) or lines[place] != line for lines in columns):
            return line.strip()[:120]
    return text.split("\n", 1)[0].strip()[:120]
