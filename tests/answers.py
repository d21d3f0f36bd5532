"""What an answer over HTTP must be, for the tests of every feature."""

from __future__ import annotations

from typing import Any

from httpx import Response


def ok(answer: Response, status: int = 200) -> Any:
    """The body of a success; None where it has none."""
    assert answer.status_code == status, answer.text
    return answer.json() if answer.content else None


def refused(answer: Response, status: int, code: str) -> dict[str, Any]:
    """The problem, which must have this code."""
    assert answer.status_code == status, answer.text
    problem: dict[str, Any] = answer.json()
    assert problem["code"] == code, problem
    return problem
