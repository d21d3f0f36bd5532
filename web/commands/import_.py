"""`marketplace import FILE`: prices or published code lists through the public API."""

from __future__ import annotations

import hashlib
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from web.commands.api_client import ApiClient
from web.console import CommandFailed, say

POLL_S = 0.25
READ_BYTES = 256 << 10
ERRORS_SHOWN = 10
FORMATS = {".csv": "csv", ".txt": "csv", ".tsv": "csv", ".xlsx": "xlsx", ".jsonl": "jsonl"}
FORMATS |= {".ndjson": "jsonl", ".parquet": "parquet"}


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("file", type=Path, help="CSV, XLSX, JSON Lines or Parquet, also as .gz")
    parser.add_argument("--url", default="http://127.0.0.1:8000", help="address of the marketplace")
    parser.add_argument(
        "--key-file",
        required=True,
        metavar="PATH",
        help="file whose first line is an API key; - reads it from standard input",
    )
    prices = parser.add_argument_group("prices")
    prices.add_argument("--list", metavar="NAME", help="price list; made when there is none")
    prices.add_argument("--mode", choices=["replace", "merge", "patch"], default="merge")
    prices.add_argument("--format", choices=sorted(set(FORMATS.values())))
    prices.add_argument("--on-error", choices=["reject_all", "reject_rows"], default="reject_all")
    prices.add_argument("--base-version", type=int, metavar="N")
    prices.add_argument("--dry-run", action="store_true", help="check and compare, publish nothing")
    reading = parser.add_argument_group("how the file is written, where it does not tell")
    reading.add_argument("--encoding", metavar="NAME", help="of a CSV, such as cp1250")
    reading.add_argument("--delimiter", metavar="SIGN", help="of a CSV: one sign, or tab")
    reading.add_argument("--decimal", choices=[".", ","], help="decimal mark")
    reading.add_argument("--sheet", metavar="NAME", help="of a workbook")
    reading.add_argument("--header-row", type=int, metavar="N", help="row with the column names")
    reading.add_argument(
        "--column",
        action="append",
        default=[],
        metavar="FILE=OURS",
        help="what a column is, such as 'VK netto=price'; may be repeated",
    )
    prices.add_argument("--failed-rows", type=Path, metavar="FILE", help="write them here as CSV")
    lists = parser.add_argument_group("code lists (operator)")
    lists.add_argument("--classification", metavar="SCHEME", help="such as CPV")
    lists.add_argument("--units", action="store_true", help="a list of units of measure")
    lists.add_argument("--list-version", metavar="TEXT", help="version of the code list")
    lists.add_argument("--language", default="en")


def run(args: Namespace) -> int:
    if not args.file.is_file():
        raise CommandFailed(f"There is no file {args.file}.")
    client = ApiClient(args.url, _key(args.key_file))
    if args.classification or args.units:
        return _load_codes(client, args)
    if args.list is None:
        raise CommandFailed("Name the price list with --list, or the kind of code list.")
    return _load_prices(client, args)


def _key(path: str) -> str:
    line = sys.stdin.readline(1_024) if path == "-" else Path(path).read_text().partition("\n")[0]
    if not line.strip():
        raise CommandFailed("The API key is empty.")
    return line.strip()


def _load_codes(client: ApiClient, args: Namespace) -> int:
    if not args.list_version:
        raise CommandFailed("Name the version of the list with --list-version.")
    path = f"/api/v1/units/{args.list_version}"
    if args.classification:
        path = f"/api/v1/classifications/{args.classification}/{args.list_version}"
        path += f"?language={args.language}"
    with _bar("Sending") as bar:
        answer = client.put_file(path, _pieces(args.file, bar), args.file.stat().st_size)
    say(f"{answer['entries']:,} entries, {answer['roots']:,} at the top.")
    return 0


def _load_prices(client: ApiClient, args: Namespace) -> int:
    body: dict[str, Any] = {
        "price_list_id": _list_id(client, args.list),
        "mode": args.mode,
        "format": args.format or _format_of(args.file),
        "on_error": args.on_error,
        "dry_run": args.dry_run,
        "file_name": args.file.name,
        "sha256": _sha256(args.file),
    }
    if reading := _reading(args):
        body["reading"] = reading
    if args.base_version is not None:
        body["base_version"] = args.base_version
    begun = client.call("POST", "/api/v1/price_imports", body)
    with _bar("Sending") as bar:
        size = args.file.stat().st_size
        client.put_file(begun["upload_url"], _pieces(args.file, bar), size)
    done = _follow(client, f"/api/v1/price_imports/{begun['id']}")
    return _report(client, done, args.failed_rows)


def _reading(args: Namespace) -> dict[str, Any]:
    said = {
        name: getattr(args, name)
        for name in ("encoding", "delimiter", "decimal", "sheet", "header_row")
        if getattr(args, name) is not None
    }
    columns = {}
    for pair in args.column:
        name, sign, ours = pair.rpartition("=")
        if not (sign and name and ours):
            raise CommandFailed(f"Write --column FILE=OURS, not {pair}.")
        columns[name] = ours
    return said | ({"columns": columns} if columns else {})


def _list_id(client: ApiClient, name: str) -> str:
    me = client.call("GET", "/api/v1/me")
    supplier = me["organisation"]["id"]
    cursor = ""
    while True:
        query = f"?supplier={supplier}&limit=200" + (f"&cursor={cursor}" if cursor else "")
        page = client.call("GET", f"/api/v1/price_lists{query}")
        for found in page["items"]:
            if name in (found["name"], found["id"]):
                return str(found["id"])
        cursor = page["next_cursor"] or ""
        if not cursor:
            made = client.call("POST", "/api/v1/price_lists", {"name": name})
            return str(made["id"])


def _format_of(path: Path) -> str:
    suffixes = [suffix.lower() for suffix in path.suffixes if suffix.lower() != ".gz"]
    kind = FORMATS.get(suffixes[-1] if suffixes else "")
    if kind is None:
        raise CommandFailed(f"Name the format of {path.name} with --format.")
    return kind


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class _Bar:
    """A progress bar on standard error, so that standard output stays a report."""

    def __init__(self, what: str) -> None:
        self.progress = Progress(
            TextColumn("{task.description:<12}"),
            BarColumn(),
            DownloadColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
        )
        self.task = self.progress.add_task(what, total=None)

    def __enter__(self) -> _Bar:
        self.progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.progress.stop()

    def at(self, done: int, total: int, what: str | None = None) -> None:
        self.progress.update(self.task, completed=done, total=total or None, description=what)


def _bar(what: str) -> _Bar:
    return _Bar(what)


def _pieces(path: Path, bar: _Bar) -> Iterator[bytes]:
    size, done = path.stat().st_size, 0
    with path.open("rb") as file:
        while piece := file.read(READ_BYTES):
            yield piece
            done += len(piece)
            bar.at(done, size)


def _follow(client: ApiClient, path: str) -> dict[str, Any]:
    waiting = {"awaiting_upload", "reading", "validating", "publishing"}
    with _bar("Reading") as bar:
        while (view := client.call("GET", path))["state"] in waiting:
            bar.at(view["bytes"]["done"], view["bytes"]["total"], view["state"].capitalize())
            time.sleep(POLL_S)  # the worker is elsewhere; there is nothing else to wait for
    return dict(view)


def _how_read(done: dict[str, Any]) -> str:
    """How the file was read, in one line."""
    detected = done["detected"]
    if not detected.get("header"):
        return ""
    told = {
        "csv": f"Read as {detected['encoding']}, delimiter {detected['delimiter']!r}",
        "xlsx": f"Read from the sheet {detected['sheet']!r}",
    }.get(done["format"])
    if told is None:
        return ""
    mark = detected["decimal"] or "not told by the file"
    return f"{told}, column names in row {detected['header_row']}, decimal mark {mark}."


def _report(client: ApiClient, done: dict[str, Any], failed_rows: Path | None) -> int:
    rows = done["rows"]
    say(", ".join(f"{count:,} {name}" for name, count in rows.items()) + f": {done['state']}")
    path = f"/api/v1/price_imports/{done['id']}"
    if rows["invalid"] or rows["held"]:
        for error in client.lines(f"{path}/errors", ERRORS_SHOWN):
            where = f"row {error['row']}" + (f", {error['column']}" if error["column"] else "")
            say(f"  {where}: {error['code']}: {error['message']} {error['hint'] or ''}".rstrip())
        if failed_rows is not None:
            failed_rows.write_bytes(client.raw(f"{path}/errors?format=csv"))
            say(f"Failed rows: {failed_rows}")
    if line := _how_read(done):
        say(line)
    for each in done["detected"].get("candidates", []):
        say(f"  --encoding {each['encoding']}: {each['line']}")
    if done["failure"]:
        raise CommandFailed(done["failure"]["detail"])
    if done["removals"]["confirm"]:
        say(f'Commit with {{"confirm_removals": {done["removals"]["confirm"]}}} if that is right.')
    return 0
