"""`make faults`: the long run."""

from __future__ import annotations

import argparse
import asyncio
import random
import sys

from tests.faults.arena import TOPOLOGIES
from tests.faults.mutants import MUTANTS
from tests.faults.run import Run, print_line, run

KINDS = ("lost", "doubled", "contradicted", "blind")
SHORT_SHARE = 3
"""One short auction for so many faults."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--topology", choices=TOPOLOGIES, default="single", help="(%(default)s)")
    parser.add_argument("--faults", type=int, default=200, help="how many (%(default)s)")
    parser.add_argument("--rate", type=float, default=200, help="bids a second (%(default)s)")
    parser.add_argument("--nodes", type=int, default=2, help="node processes (%(default)s)")
    parser.add_argument("--seed", type=int, default=random.randrange(2**32), help="repeat a run")
    parser.add_argument("--short", type=int, help="short auctions (one for three faults)")
    parser.add_argument("--kind", action="append", help="only this fault (may be repeated)")
    parser.add_argument("--mutant", choices=MUTANTS, help="nodes with a mistake to be caught")
    args = parser.parse_args()
    print_line(f"{args.topology}, seed {args.seed}")
    how = Run(
        faults=args.faults,
        per_second=args.rate,
        seed=args.seed,
        topology=args.topology,
        nodes=args.nodes,
        kinds=args.kind,
        short=-(-args.faults // SHORT_SHARE) if args.short is None else args.short,
        mutant=args.mutant,
        say=print_line,
    )
    report = asyncio.run(run(how))
    for kind, count in sorted(report.faults.items()):
        slowest_s = max(report.recoveries.get(kind, [0.0]))
        print_line(
            f"{count:5} x {kind}, {report.spent_s[kind] / count:.1f} s each; "
            f"bids again after {slowest_s:.1f} s at most"
        )
    print_line(
        f"{report.sent} bids sent, {report.answered} answered, {report.accepted} accepted; "
        f"p50 {report.p50_ms:.1f} ms, p99 {report.p99_ms:.0f} ms, faults included"
    )
    print_line(
        f"{report.closed} of {report.short} short auctions closed, "
        f"{report.interrupted} of them met an outage"
    )
    for problem in report.problems[:50]:
        print_line(f"PROBLEM {problem}")
    counts = ", ".join(f"{report.count(kind)} {kind}" for kind in KINDS)
    print_line(f"{counts}, {len(report.problems)} problems in all")
    return 1 if report.problems else 0


if __name__ == "__main__":
    sys.exit(main())
