"""What a command says to the person in front of it."""

from __future__ import annotations

import sys


class CommandFailed(Exception):
    """Ends a command with exit code 1 and this one line."""


def say(text: str) -> None:
    """One line on standard output, at once: scripts wait for it."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
