"""A workflow drawn from its table."""

from __future__ import annotations

from datetime import timedelta

from marketplace.kernel.workflow import Deadline, S, Workflow, plain_words


def mermaid(workflow: Workflow[S]) -> str:
    """The table as a Mermaid state diagram (https://mermaid.js.org/syntax/stateDiagram.html)."""
    lines = ["stateDiagram-v2", f"    [*] --> {workflow.initial}"]
    sources = {state for row in workflow.transitions for state in row.source}
    for row in workflow.transitions:
        notes = [plain_words(row.event), "by " + ", ".join(sorted(row.roles))]
        notes += ["not the author"] if row.not_author else []
        notes += [f"if {plain_words(row.guard.__name__.strip('_'))}"] if row.guard else []
        notes += [_deadline_words(row.deadline)] if row.deadline else []
        lines += [f"    {state} --> {row.target}: {' / '.join(notes)}" for state in row.source]
    ends = {row.target for row in workflow.transitions} - sources
    lines += [f"    {state} --> [*]" for state in sorted(ends)]
    return "\n".join(lines) + "\n"


def _deadline_words(deadline: Deadline[S]) -> str:
    if deadline.after is None:
        return f"then {plain_words(deadline.event)} when due"
    hours = deadline.after // timedelta(hours=1)
    return f"then {plain_words(deadline.event)} after {hours} h"
