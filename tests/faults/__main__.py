"""`make faults`: the long run."""

from __future__ import annotations

import argparse
import asyncio
import random
import sys

from tests.faults.run import print_line, run


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faults", type=int, default=200, help="how many (%(default)s)")
    parser.add_argument("--rate", type=float, default=500, help="bids a second (%(default)s)")
    parser.add_argument("--nodes", type=int, default=2, help="node processes (%(default)s)")
    parser.add_argument("--seed", type=int, default=random.randrange(2**32), help="repeat a run")
    args = parser.parse_args()
    print_line(f"seed {args.seed}")
    report = asyncio.run(
        run(
            faults=args.faults,
            per_second=args.rate,
            seed=args.seed,
            nodes=args.nodes,
            say=print_line,
        )
    )
    for kind, count in sorted(report.faults.items()):
        print_line(f"{count:5} x {kind}")
    print_line(
        f"{report.sent} bids sent, {report.answered} answered, {report.accepted} accepted in "
        f"{report.auctions} auctions, {report.closed} of them closed; "
        f"p50 {report.p50_ms:.1f} ms, p99 {report.p99_ms:.0f} ms, faults included"
    )
    for problem in report.problems[:50]:
        print_line(f"PROBLEM {problem}")
    lost = sum(problem.startswith("lost") for problem in report.problems)
    doubled = sum(problem.startswith("doubled") for problem in report.problems)
    print_line(f"{lost} lost, {doubled} doubled, {len(report.problems)} problems in all")
    return 1 if report.problems else 0


if __name__ == "__main__":
    sys.exit(main())
