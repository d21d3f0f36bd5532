"""Which rules an auction is decided by: the version it began with, for ever.

A change in what a command means is a new version, never an edit of an old one:

- of one format, a subclass that overrides the method, in a registry of the new version:
  `VERSIONS[2] = VERSIONS[1]._replace(formats=FORMATS | {"name": Changed()})`;
- of the buyer's commands, another entry in `controls`;
- of anything else in `core`, a second module beside the first, reached by the new version's format,
  control or `apply`.

Then RULES_VERSION rises, so that new auctions pin it, and `python -m tests.auctions.logs.make`
writes the new version's logs. Those of the old ones stay as they are: tests fold them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from .core import state as states
from .core.apply import CONTROLS, BrokenLog, apply
from .core.commands import Command
from .core.format import Control
from .core.outcomes import Outcome
from .core.parameters import RULES_VERSION, Phase, Terms
from .core.state import State
from .formats import FORMATS, Format

Apply = Callable[[State, Command], tuple[State, Outcome]]


class Version(NamedTuple):
    """Everything that one version decides by."""

    apply: Apply
    controls: Mapping[type, Control]
    formats: Mapping[str, Format]


VERSIONS: dict[int, Version] = {1: Version(apply, CONTROLS, FORMATS)}


def newest() -> Version:
    """What auctions that are published now pin."""
    return VERSIONS[RULES_VERSION]


def version_of(terms: Terms) -> Version:
    """The rules that these terms pin. Raises BrokenLog when this program does not have them."""
    version = VERSIONS.get(terms.rules_version)
    if version is None:
        raise BrokenLog(f"rules version {terms.rules_version} is not known here")
    for phase in terms.phases:
        if phase.format not in version.formats:
            raise BrokenLog(f"version {terms.rules_version} has no format {phase.format!r}")
    return version


def apply_of(terms: Terms) -> Apply:
    """What decides the commands of this auction; ask once, not for each. Raises BrokenLog."""
    return version_of(terms).apply


def format_of(terms: Terms, phase: Phase) -> Format:
    """Raises BrokenLog."""
    return version_of(terms).formats[phase.format]


def publishes_at_once(terms: Terms) -> bool:
    """Whether each bid of this auction is shown the moment it is accepted. Raises BrokenLog."""
    return len(terms.phases) == 1 and format_of(terms, terms.phases[0]).publishes_at_once


def initial(terms: Terms) -> State:
    """The state before the first command. Raises BrokenLog."""
    return states.initial(terms, version_of(terms))


def load(raw: bytes) -> State:
    """A state that `dump` wrote. Raises msgspec.ValidationError or msgspec.DecodeError on anything
    else, BrokenLog on a version that this program does not have.
    """
    return states.load(raw, version_of)


__all__ = [
    "VERSIONS",
    "Apply",
    "BrokenLog",
    "Version",
    "apply_of",
    "format_of",
    "initial",
    "load",
    "newest",
    "publishes_at_once",
    "version_of",
]
