"""CSV, a few megabytes at a time: well-formed rows by the vector, the others one by one."""

from __future__ import annotations

import codecs
import re
from typing import Any

import polars as pl

from pricing.imports.checks import RowError
from pricing.imports.reading.batch import RawBatch, Reading, row_error, without_known
from pricing.imports.rules import ROW_BYTES_MAX

RECORD_LINES_MAX = 20
"""Lines a quoted cell may span."""


class CsvReader:
    """`feed` bytes in pieces of any size; each call returns the batch of the rows now complete.

    Row numbers count records, the header being row 1, as a spreadsheet shows them.
    """

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        dialect = reading.dialect
        self._decoder = codecs.getincrementaldecoder(dialect.encoding)("replace")
        self._skip = dialect.bom_bytes
        self._rest = ""
        self._next_row = 1
        self._names = list(dialect.header)
        self._ours = {
            ours: f"column_{dialect.header.index(name) + 1}"
            for name, ours in dialect.columns.items()
        }
        cell = rf'(?:"(?:[^"]|"")*"|[^"{re.escape(dialect.delimiter)}]*)'
        self._record = re.compile(rf"(?s)\s*{cell}(?:{re.escape(dialect.delimiter)}{cell})*\s*")
        self._well_formed = rf"(?s)^\s*{cell}(?:{re.escape(dialect.delimiter)}{cell})*\s*$"

    def feed(self, data: bytes, *, last: bool) -> RawBatch:
        """The batch of rows that end in `data`."""
        skipped = min(self._skip, len(data))
        self._skip -= skipped
        text = self._rest + self._decoder.decode(data[skipped:], last)
        if "\r" in text:
            # A lone \r at the end may be half of \r\n.
            held = text[-1] == "\r" and not last
            text = text[:-1] if held else text
            text = text.replace("\r\n", "\n").replace("\r", "\n") + ("\r" if held else "")
        end = len(text) if last else text.rfind("\n") + 1
        body, self._rest = text[:end], text[end:]
        if len(self._rest) > ROW_BYTES_MAX * 2 and '"' not in self._rest:
            # One endless line: what it holds beyond the limit is not kept, only that it was long.
            self._rest = self._rest[: ROW_BYTES_MAX + 1]
        return self._batch(body, last=last)

    def _batch(self, body: str, *, last: bool) -> RawBatch:
        lines = pl.Series("raw", [body.removesuffix("\n")], pl.String).str.split("\n").explode()
        if not body:
            lines = lines.clear()
        if '"' in body:
            lines, carry = self._records(lines, last=last)
            self._rest = carry + self._rest
        first = self._next_row
        self._next_row += len(lines)
        rows = pl.DataFrame(
            {
                "row_no": pl.int_range(first, first + len(lines), dtype=pl.Int32, eager=True),
                "raw": lines,
            }
        )
        if first == 1:
            rows = self._after_header(rows)
        # Known rows were right when they came, so only the others are looked at.
        known = self._reading.known
        prints = rows["raw"].hash(self._reading.seed)
        mask, unchanged = without_known(prints, known)
        rows = rows.with_columns(prints.alias("fingerprint"))
        kept = rows if mask is None else rows.filter(mask)
        good, errors, rejects = self._without_malformed(kept, body)
        if len(good) < len(kept):
            rows = rows.join(kept.join(good, on="row_no", how="anti"), on="row_no", how="anti")
        return RawBatch(
            self._parsed(good),
            len(rows) + len(rejects),
            rows["row_no"],
            rows["fingerprint"],
            unchanged,
            errors,
            rejects,
            good["raw"],
        )

    def _after_header(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Without the header and blank lines above it."""
        full = rows.filter(pl.col("raw").str.contains(r"\S"))
        return rows if full.is_empty() else rows.filter(pl.col("row_no") > full["row_no"][0])

    def _parsed(self, rows: pl.DataFrame) -> pl.DataFrame:
        if rows.is_empty():
            cells = pl.DataFrame(schema=dict.fromkeys(self._ours, pl.String))
        else:
            cells = pl.read_csv(
                rows["raw"].str.join("\n")[0].encode() + b"\n",
                has_header=False,
                separator=self._reading.dialect.delimiter,
                new_columns=[f"column_{n + 1}" for n in range(len(self._names))],
                infer_schema=False,
                truncate_ragged_lines=True,
            ).select(pl.col(column).alias(ours) for ours, column in self._ours.items())
            assert len(cells) == len(rows), "a well-formed row was split"
        return cells.with_columns(rows["row_no"], rows["fingerprint"])

    def _without_malformed(
        self, rows: pl.DataFrame, body: str
    ) -> tuple[pl.DataFrame, list[RowError], dict[int, Any]]:
        """Drop blank rows, and rows that are no records with one error each."""
        delimiter = self._reading.dialect.delimiter
        raw, quotes = pl.col("raw"), '"' in body
        bare = raw.str.replace_all(r'"(?:[^"]|"")*"', "") if quotes else raw
        cells = bare.str.count_matches(delimiter, literal=True) + 1
        # What the whole batch lacks, no row has; so the usual batch costs two looks at a row.
        checks = {
            "row_too_long": raw.str.len_bytes() > ROW_BYTES_MAX,
            "nul_byte": _holds(body, "\x00"),
            "wrong_encoding": _holds(body, "\ufffd"),
            "malformed_quoting": raw.str.contains('"', literal=True)
            & ~raw.str.contains(self._well_formed)
            if quotes
            else None,
            "wrong_column_count": cells != len(self._names),
        }
        asked = {code: check for code, check in checks.items() if check is not None}
        found = rows.select(check.alias(code) for code, check in asked.items())
        wrong = [code for code in asked if found[code].any()]
        if not wrong:
            return rows, [], {}
        codes = found.select(
            pl.coalesce(pl.when(pl.col(code)).then(pl.lit(code)) for code in wrong).alias("code")
        ).to_series()
        bad = rows.with_columns(codes).filter(pl.col("code").is_not_null())
        errors, rejects = [], {}
        for row, text, why in bad.select("row_no", "raw", "code").iter_rows():
            if not text.strip():
                continue
            shown = text[:2_000].replace("\x00", "\u2400")
            errors.append(row_error(row, why, shown))
            rejects[row] = {"raw": shown}
        return rows.filter(codes.is_null()), errors, rejects

    def _records(self, lines: pl.Series, *, last: bool) -> tuple[pl.Series, str]:
        """Join lines that a quoted cell spans. The second value is an unfinished record's text."""
        odd = lines.str.count_matches('"', literal=True) % 2 == 1
        if not odd.any():
            return lines, ""
        flags, texts = odd.to_list(), lines.to_list()
        records: list[str] = []
        place = 0
        while place < len(texts):
            if not flags[place]:
                records.append(texts[place])
                place += 1
                continue
            end = next(
                (
                    n
                    for n in range(place + 1, min(place + RECORD_LINES_MAX, len(texts)))
                    if flags[n]
                ),
                None,
            )
            if end is None and not last and place + RECORD_LINES_MAX > len(texts):
                return pl.Series("raw", records, pl.String), "\n".join(texts[place:]) + "\n"
            joined = "" if end is None else "\n".join(texts[place : end + 1])
            if end is not None and self._record.fullmatch(joined):
                records.append(joined)
                place = end + 1
            else:
                # A stray quotation mark spoils its own line, never the rest of the file.
                records.append(texts[place])
                place += 1
        return pl.Series("raw", records, pl.String), ""


def _holds(body: str, sign: str) -> pl.Expr | None:
    return pl.col("raw").str.contains(sign, literal=True) if sign in body else None
