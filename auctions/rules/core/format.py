"""What the core asks of a format and of a version; the formats themselves lie above it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from .commands import Accept, Bid, Command
from .outcomes import AnyEvent, Outcome
from .parameters import Phase
from .scoring import Scale

if TYPE_CHECKING:
    from .state import State

Control = Callable[["State", Command, Any, list[AnyEvent]], Outcome]
"""What a command of the buyer does."""


class Format(Protocol):
    """The facts and decisions of a format; `auctions.rules.parts.format` describes each."""

    name: ClassVar[str]
    is_clock: ClassVar[bool]
    ends_on_accept: ClassVar[bool]
    is_last_word: ClassVar[bool]
    is_sealed: ClassVar[bool]
    has_stages: ClassVar[bool]
    allows_automatic: ClassVar[bool]
    tells_price_for_rank: ClassVar[bool]

    def planned_us(self, phase: Phase, bidders_count: int) -> int: ...

    def begin(self, state: State, at: int, events: list[AnyEvent]) -> None: ...

    def stage_over(self, state: State, events: list[AnyEvent]) -> bool: ...

    def after_outage(self, state: State, ts: int) -> None: ...

    def bid(self, state: State, command: Command, body: Bid, events: list[AnyEvent]) -> Outcome: ...

    def accept(
        self, state: State, command: Command, body: Accept, events: list[AnyEvent]
    ) -> Outcome: ...

    def extend(self, state: State, ts: int, moved: int, events: list[AnyEvent]) -> None: ...

    def may_bid(self, state: State, alias: str) -> bool: ...

    def next_price(self, state: State, alias: str, scale: Scale) -> int | None: ...


class Rules(Protocol):
    """What one version decides by, beside its `apply`."""

    @property
    def formats(self) -> Mapping[str, Format]: ...

    @property
    def controls(self) -> Mapping[type, Control]: ...
