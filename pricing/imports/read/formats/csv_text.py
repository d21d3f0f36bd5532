"""CSV, a few megabytes at a time: well-formed rows by the vector, the others one by one."""

from __future__ import annotations

import codecs
from typing import Any

import polars as pl

from pricing.imports.check.checks import RowError
from pricing.imports.read.encodings import Unrecognised
from pricing.imports.read.formats.batch import RawBatch, Reading, row_error
from pricing.imports.read.formats.records import Records, well_formed
from pricing.imports.read.formats.sieve import Sieve
from pricing.imports.rules import ROW_BYTES_MAX


class CsvReader:
    """`feed` bytes in pieces of any size; each call returns a batch of the rows now complete, or
    None while rows are gathered.

    Row numbers count records, the header being row 1, as a spreadsheet shows them.
    """

    def __init__(self, reading: Reading) -> None:
        self._seed = reading.seed
        self._sieve = Sieve(reading.known)
        dialect = reading.dialect
        decoder = codecs.getincrementaldecoder(dialect.encoding)("replace")
        self._decoder = None if dialect.encoding == "utf-8" else decoder
        self._skip = dialect.bom_bytes
        self._header_row = dialect.header_row
        self._may_be_other = dialect.assumed_utf8
        self._rest = b""
        self._next_row = 1
        self._delimiter = dialect.delimiter
        self._names = list(dialect.header)
        self._ours = {
            ours: f"column_{dialect.header.index(name) + 1}"
            for name, ours in dialect.columns.items()
        }
        self._records = Records(dialect.delimiter)
        self._well_formed = well_formed(dialect.delimiter)

    @property
    def mostly_known(self) -> bool:
        """Whether of the last piece little was looked at."""
        return self._sieve.mostly_known

    def feed(self, data: bytes, *, last: bool) -> RawBatch | None:
        """The rows that end in `data`, after those that were gathered before."""
        skipped = min(self._skip, len(data))
        self._skip -= skipped
        text = data[skipped:] if skipped else data
        if self._decoder is not None:
            text = self._decoder.decode(text, last).encode()
        text = self._rest + text
        if b"\r" in text:
            # A lone \r at the end may be half of \r\n.
            held = text[-1:] == b"\r" and not last
            text = text[:-1] if held else text
            text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n") + (b"\r" if held else b"")
        end = len(text) if last else text.rfind(b"\n") + 1
        body, self._rest = text[:end], text[end:]
        if len(self._rest) > ROW_BYTES_MAX * 2:
            self._rest = _cut(self._rest)
        return self._batch(body, last=last)

    def _batch(self, body: bytes, *, last: bool) -> RawBatch | None:
        lines = self._lines(body)
        if b'"' in body:
            lines, carry = self._records.join(lines, last=last)
            self._rest = carry.encode() + self._rest
        first = self._next_row
        self._next_row += len(lines)
        row_nos = pl.int_range(first, first + len(lines), dtype=pl.Int32, eager=True)
        prints = lines.hash(self._seed)
        rows = pl.DataFrame({"row_no": row_nos, "fingerprint": prints, "raw": lines})
        if first <= self._header_row:
            rows = rows.filter(pl.col("row_no") > self._header_row)
        sieved = self._sieve.take(rows, last=last)
        if sieved is None:
            return None
        text = sieved.rows["raw"].str.join("\n")[0] or ""
        good, errors, rejects = self._without_malformed(sieved.rows, text)
        row_nos, prints = sieved.row_nos, sieved.fingerprints
        if len(good) < len(sieved.rows):
            text = good["raw"].str.join("\n")[0] or ""
            bad = sieved.rows.join(good, on="row_no", how="anti")["row_no"]
            right = ~row_nos.is_in(bad.implode())
            row_nos, prints = row_nos.filter(right), prints.filter(right)
        return RawBatch(
            self._parsed(good, text),
            len(row_nos) + len(rejects),
            row_nos,
            prints,
            sieved.unchanged,
            errors,
            rejects,
            good["raw"],
        )

    def _lines(self, body: bytes) -> pl.Series:
        """Without their line feeds. Bytes that are no text become U+FFFD. Raises Unrecognised where
        nothing before them said that the file is UTF-8.
        """
        if not body:
            return pl.Series("raw", dtype=pl.String)
        try:
            return pl.read_lines(body, name="raw")["raw"]
        except pl.exceptions.ComputeError:
            if self._may_be_other and self._decoder is None:
                raise Unrecognised from None
            return pl.read_lines(body.decode("utf-8", "replace").encode(), name="raw")["raw"]

    def _parsed(self, rows: pl.DataFrame, text: str) -> pl.DataFrame:
        if rows.is_empty():
            cells = pl.DataFrame(schema=dict.fromkeys(self._ours, pl.String))
        else:
            cells = pl.read_csv(
                text.encode() + b"\n",
                has_header=False,
                separator=self._delimiter,
                new_columns=[f"column_{n + 1}" for n in range(len(self._names))],
                infer_schema=False,
                truncate_ragged_lines=True,
            ).select(pl.col(column).alias(ours) for ours, column in self._ours.items())
            assert len(cells) == len(rows), "a well-formed row was split"
        return cells.with_columns(rows["row_no"], rows["fingerprint"])

    def _without_malformed(
        self, rows: pl.DataFrame, text: str
    ) -> tuple[pl.DataFrame, list[RowError], dict[int, Any]]:
        """Drop blank rows, and rows that are no records with one error each; `text` is theirs."""
        raw, quotes = pl.col("raw"), '"' in text
        bare = raw.str.replace_all(r'"(?:[^"]|"")*"', "") if quotes else raw
        cells = bare.str.count_matches(self._delimiter, literal=True) + 1
        # What the whole batch lacks, no row has; so the usual batch costs two looks at a row.
        checks = {
            "row_too_long": raw.str.len_bytes() > ROW_BYTES_MAX,
            "nul_byte": _holds(text, "\x00"),
            "wrong_encoding": _holds(text, "\ufffd"),
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


def _cut(line: bytes) -> bytes:
    """Of an endless line only that it was long is kept, and whether a quoted cell is still open."""
    is_open = line.count(b'"', ROW_BYTES_MAX + 1) % 2 == 1
    return line[: ROW_BYTES_MAX + 1] + (b'"' if is_open else b"")


def _holds(text: str, sign: str) -> pl.Expr | None:
    return pl.col("raw").str.contains(sign, literal=True) if sign in text else None
