"""A transcript of a million commands, verified as anybody would do it: seconds and memory.

The file is made here by the rules and the writer themselves, without servers; verifying runs in a
process of its own, so that its peak memory is nobody else's. Raw limit: reading the file and
hashing its bytes.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import resource
import subprocess
import sys
import tempfile
import time
from base64 import b64encode
from pathlib import Path
from uuid import UUID

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from auctions.book.fold import Fold
from auctions.book.journal import JournalHead
from auctions.book.log import Entry
from auctions.book.receipts import Signer
from auctions.book.transcript import Writer
from auctions.book.verify import verify
from auctions.rules.core.commands import Admit, AnyBody, Bid, Tick, encode
from auctions.rules.terms.read import read_terms
from benchmarks.harness import Figure, show
from marketplace.kernel.collector import settle
from marketplace.kernel.money import format_minor

AUCTION = UUID("01a1ff00-0000-7000-8000-00000000be0c")
START_US = 1_800_000_000_000_000
BIDDERS = 50
TICK_EVERY = 500
SMALL, LARGE = 100_000, 1_000_000
SECONDS_BAR, GROWTH_MIB_BAR = 60.0, 16.0

_RULES = {
    "format": "english", "starts_at": "2027-01-15T08:00:00Z", "duration_s": 86_400,
    "step": {"against": "own", "kind": "amount", "value": "0.01"}, "visibility": "rank_and_lead",
}  # fmt: skip


def write(path: Path, count: int) -> float:
    """A full transcript of `count` commands at `path`; the seconds it took.

    Fifty bidders in turn, one bid in twenty refused, a heartbeat at every five hundredth command.
    """
    begun = time.perf_counter()
    terms = read_terms(_RULES, auction=str(AUCTION), currency="EUR", ceiling=None)
    head = JournalHead(AUCTION, 1, 0, 0, "", b"", msgspec.json.encode(terms), b"s" * 32, "", None)
    private = Ed25519PrivateKey.generate()
    public = private.public_key().public_bytes_raw()
    signer = Signer(hashlib.sha256(public).hexdigest()[:16], private)
    fold = Fold(head, None)
    writer = Writer(head, signer, {signer.key_id: b64encode(public).decode()})
    with path.open("wb", buffering=1 << 20) as file:
        file.write(writer.header())
        for seq in range(1, count + 1):
            # Two thousand commands a second, so the heart never seems to have stopped.
            entry = Entry(0, seq, START_US + seq * 500, "", "", encode(_body(seq)))
            made = fold.decide([entry])[0]
            file.write(
                writer.command(
                    seq, made.ts, made.bidder, made.kept_body, made.kept_outcome, made.chain
                )
            )
        file.write(writer.end())
    return time.perf_counter() - begun


def _body(seq: int) -> AnyBody:
    if seq <= BIDDERS:
        return Admit(cid=f"admit-{seq}", bidder=_alias(seq))
    if seq % TICK_EVERY == BIDDERS + 1:
        return Tick()
    minor = 1_000_000_000 - seq * 10 + (100_000 if seq % 20 == 0 else 0)
    return Bid(cid=f"c{seq}", bidder=_alias(seq * 7), price=format_minor(minor, 2))


def _alias(number: int) -> str:
    return f"Bidder {number % BIDDERS}"


class Run(msgspec.Struct):
    """What one verification took; `cpu_seconds` is what it would take where nobody else computes.
    `mib_before` is the process with everything imported.
    """

    commands: int
    seconds: float
    cpu_seconds: float
    mib_before: float
    mib_peak: float


def verify_apart(path: Path) -> Run:
    """Verify in a fresh process. Raises CalledProcessError when the file is not in order."""
    asked = [sys.executable, "-m", "benchmarks.transcripts", "--verify", str(path)]
    done = subprocess.run(asked, capture_output=True, check=True)  # our own module
    return msgspec.json.decode(done.stdout, type=Run)


def _verify_here(path: Path) -> Run:
    settle()
    before = _peak_mib()
    begun, cpu_begun = time.perf_counter(), time.process_time()
    with path.open("rb") as file:
        verdict = verify(file)
    seconds, cpu_seconds = time.perf_counter() - begun, time.process_time() - cpu_begun
    return Run(verdict.commands, seconds, cpu_seconds, before, _peak_mib())


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _raw_seconds(path: Path) -> float:
    begun = time.perf_counter()
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for line in file:
            digest.update(line)
    return time.perf_counter() - begun


def measure(folder: Path, small: int, large: int) -> list[Figure]:
    figures: list[Figure] = []
    runs: list[Run] = []
    for count in (small, large):
        path = folder / f"{count}.jsonl"
        written_s = write(path, count)
        raw_s, run = _raw_seconds(path), verify_apart(path)
        runs.append(run)
        size = f"{path.stat().st_size / 2**20:,.0f} MiB written in {written_s:.0f} s"
        note = f"{run.cpu_seconds:.1f} s of them computing; {size}"
        figures += [
            Figure(
                name=f"verify {run.commands:,} commands", value=run.seconds, unit="s",
                ratio=run.seconds / raw_s, limit="reading and hashing", note=note,
            ),
            Figure(
                name=f"peak memory, {run.commands:,} commands", value=run.mib_peak, unit="MiB",
                note=f"{run.mib_before:.0f} MiB before the first line",
            ),
        ]  # fmt: skip
        path.unlink()
    growth = runs[1].mib_peak - runs[0].mib_peak
    met = runs[1].seconds * LARGE / large <= SECONDS_BAR and growth <= GROWTH_MIB_BAR
    note = f"bar: {SECONDS_BAR:.0f} s, {GROWTH_MIB_BAR:.0f} MiB: {'met' if met else 'NOT met'}"
    figures.append(Figure(name="memory grown between them", value=growth, unit="MiB", note=note))
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", type=int, default=SMALL)
    parser.add_argument("--large", type=int, default=LARGE)
    parser.add_argument("--verify", type=Path, metavar="FILE", help="only this file, told as JSON")
    given = parser.parse_args()
    if given.verify is not None:
        sys.stdout.write(json.dumps(msgspec.to_builtins(_verify_here(given.verify))))
        return
    with tempfile.TemporaryDirectory(prefix="marketplace-bench-") as folder:
        show(measure(Path(folder), given.small, given.large))


if __name__ == "__main__":
    main()
