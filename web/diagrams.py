"""`python -m web.diagrams` writes docs/workflows.md: each workflow, drawn from its table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from auctions.tenders.life import WORKFLOWS as TENDER_WORKFLOWS
from marketplace.kernel.diagrams import mermaid
from marketplace.kernel.workflow import Workflow
from marketplace.orders.life import WORKFLOWS as ORDER_WORKFLOWS

FILE = Path(__file__).parent.parent / "docs" / "workflows.md"
WORKFLOWS: tuple[Workflow[Any], ...] = (*TENDER_WORKFLOWS, *ORDER_WORKFLOWS)
"""Every workflow of the house; add a feature's tables here."""

_HEAD = """# Workflows

What may happen in which state, and who may do it. Written by `python -m web.diagrams` from the
tables the program itself obeys; what is not drawn answers 409. Roles read `side.role`; `house` is
the marketplace itself, by the clock or as a consequence.
"""


def document() -> str:
    """The whole file."""
    parts = [_HEAD]
    for workflow in WORKFLOWS:
        title = workflow.name.replace("_", " ").capitalize()
        parts.append(f"## {title}\n\n```mermaid\n{mermaid(workflow)}```\n")
    return "\n".join(parts)


if __name__ == "__main__":
    FILE.write_text(document())
