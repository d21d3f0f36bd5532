"""One watched auction on one node: who is here, what they were shown, what they are to be shown.

Everything is derived from the book's exact state, never from a guess: drawn in the book's own call
right after the fold and held back until that is durable, or drawn under `settled`. Members with the
same `Viewer` share a seat, so a frame is projected once an audience and encoded once a seat. Who
joins waits in the lobby until the room has told the others all it knows; then snapshot and later
events fit together without a gap.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress

import msgspec
import structlog

from auctions.book.book import Book
from auctions.book.fold import Durable
from auctions.book.receipts import Signer
from auctions.live import frames as made
from auctions.live import messages
from auctions.live.acks import Acks
from auctions.live.conflate import conflated
from auctions.live.frames import Frame, Shown
from auctions.live.member import Member
from auctions.live.messages import Hello
from auctions.live.metrics import LiveMetrics
from auctions.rules.core.outcomes import Closed, Excluded
from auctions.rules.core.state import State
from auctions.rules.views.visibility import Audience, Viewer, audience
from marketplace.kernel.clock import Clock
from marketplace.kernel.errors import Unavailable

FRAME_PAUSE_S, PAUSE_S_MAX = 0.06, 1.0
"""After a flush of n frames the next one waits n times this long, so no second holds over 20; only
what must not be merged (twenty messages in one moment) makes it more.
"""

HEAD_EVERY_S = 1.0
LOOK_EVERY_S = 0.25
SETTLE_TIMEOUT_S = 1.0
RING_MAX = 1_024
SLICE = 64
LOBBY_S_MAX = 5.0
NOT_ADMITTED, AGAIN_LATER = 4403, 1013

_log = structlog.get_logger(__name__)


class Seat:
    """All sockets that may see exactly the same."""

    def __init__(self, viewer: Viewer, key: Audience) -> None:
        self.viewer, self.key = viewer, key
        self.members: set[Member] = set()
        self.personal: Frame | None = None


class Waiting(msgspec.Struct, frozen=True, eq=False):
    """In the lobby: a newcomer with its `hello`, or a slow member that has caught up (None)."""

    member: Member
    hello: Hello | None
    since: float


class Room:
    """Made by the hub when the first member comes; `run` is its one task."""

    def __init__(
        self, book: Book, signer: Signer, clock: Clock, metrics: LiveMetrics, names: made.Names
    ) -> None:
        self.book, self._signer, self._clock, self._metrics = book, signer, clock, metrics
        self.names = names
        self.on_admitted: Callable[[], None] = lambda: None
        self.members: set[Member] = set()
        self.delivered = 0
        self._seats: dict[Viewer, Seat] = {}
        self._lobby: list[Waiting] = []
        self._fresh: list[Durable] = []
        self._ring: deque[Durable] = deque(maxlen=RING_MAX)
        self._shown: dict[Audience, Shown] = {}
        self._state_shown: Frame = {}
        self._outbox: list[tuple[tuple[Member, ...], bytes]] = []
        self._held: deque[tuple[int, list[tuple[tuple[Member, ...], bytes]]]] = deque()
        self._due_at = self._head_at = 0.0
        self._head_seq = 0
        self._renamed = False
        self.acks = Acks(book, signer)
        self._stir = asyncio.Event()
        book.preparers.append(self)
        book.listeners.append(self._published)

    def close(self) -> None:
        with suppress(ValueError):
            self.book.listeners.remove(self._published)
            self.book.preparers.remove(self)

    @property
    def seated_count(self) -> int:
        """How many have been shown the auction; the others of `members` wait in the lobby."""
        return sum(len(seat.members) for seat in self._seats.values())

    # -- coming and going -----------------------------------------------------------------------

    def join(self, member: Member, hello: Hello) -> None:
        """The member gets its snapshot, or what it missed, as soon as the state is settled."""
        self.members.add(member)
        self._lobby.append(Waiting(member, hello, self._clock.monotonic()))
        if self.book.interrupted and self._state_shown:
            view = made.interrupted(self._state_shown)
            member.tell(messages.encode(made.state_frame(view)))
        self._stir.set()

    def leave(self, member: Member) -> None:
        self.members.discard(member)
        self._lobby = [waiting for waiting in self._lobby if waiting.member is not member]
        seat = self._seats.get(member.viewer)
        if seat is None:
            return
        seat.members.discard(member)
        if not seat.members:
            del self._seats[member.viewer]

    def rename(self, names: made.Names) -> None:
        """Other organisations became known; the next flush shows their names."""
        self.names, self._renamed = names, True
        self._stir.set()

    # -- what the book tells --------------------------------------------------------------------

    def folded(self, durables: Sequence[Durable]) -> None:
        """The state is exactly as these commands left it: word the acks, draw what is due. All of
        it leaves once they are published.
        """
        state = self.book.fold.state
        self.acks.folded(state, durables)
        self._fresh.extend(durables)
        if any(isinstance(event, Closed) for d in durables for event in d.outcome.events):
            # Everybody shall hold the head that contains the close.
            self._head_at = 0.0
        if self._clock.monotonic() >= self._due_at and not self._outbox and not self._held:
            self._compose(state)
            self._held.append((state.seq, self._outbox))
            self._outbox = []

    def lost(self) -> None:
        """Nobody saw what was held back; as the room remembers showing it, all begin anew."""
        published_seq = self.book.published_seq
        self._fresh = [durable for durable in self._fresh if durable.seq <= published_seq]
        if not self._held:
            return
        self._held.clear()
        now = self._clock.monotonic()
        seated = [member for seat in self._seats.values() for member in seat.members]
        self._lobby += [Waiting(member, None, now) for member in seated]
        self._seats.clear()
        self._shown.clear()
        self._state_shown = {}
        self._head_seq = min(self._head_seq, published_seq)
        self._due_at = 0.0
        self._stir.set()

    def _published(self, durables: Sequence[Durable]) -> None:
        """These are durable: what was drawn for them may leave."""
        self._ring.extend(durables)
        for durable in durables:
            for event in durable.outcome.events:
                if isinstance(event, Excluded):
                    self._put_out(event.bidder)
        if any(durable.command.body.__struct_config__.tag == "admit" for durable in durables):
            self.on_admitted()
        while self._held and self._held[0][0] <= durables[-1].seq:
            self._outbox += self._held.popleft()[1]
        self._stir.set()

    def _put_out(self, alias: str) -> None:
        for member in self.members:
            if member.alias == alias:
                member.leave(NOT_ADMITTED, "excluded from the auction")

    # -- the loop -------------------------------------------------------------------------------

    async def run(self) -> None:
        """Until cancelled."""
        looked_at = 0.0
        while True:
            await self._wait()
            await self._deliver()
            now = self._clock.monotonic()
            is_due, is_look = now >= self._due_at, now - looked_at >= LOOK_EVERY_S
            if is_look:
                looked_at = now
                self._recover()
            if is_look or self._lobby or (self._fresh and is_due):
                await self._settle(flush=is_due)
                await self._deliver()

    async def _wait(self) -> None:
        """Until something stirs, the next flush is due, or it is time to look."""
        seconds = LOOK_EVERY_S
        if self._outbox:
            seconds = 0.0
        elif self._fresh:
            seconds = min(seconds, self._due_at - self._clock.monotonic())
        if seconds > 0:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._stir.wait()
        self._stir.clear()
        # Nothing above need suspend, and the others must get their turn whatever happens here.
        await asyncio.sleep(0)

    async def _settle(self, *, flush: bool) -> None:
        """Look at the settled state: tell what is due, seat who waits. While it is not to be had
        the auction shows as paused.
        """
        try:
            async with asyncio.timeout(SETTLE_TIMEOUT_S), self.book.settled() as fold:
                if flush:
                    self._compose(fold.state)
                if not self._fresh:
                    self._seat_lobby(fold.state)
        except (TimeoutError, Unavailable):
            # Without a pause this loop would spin and starve the very task that settles the state.
            self._due_at = self._clock.monotonic() + LOOK_EVERY_S
            if self._state_shown:
                self._show_state(made.interrupted(self._state_shown))
            self._turn_away()

    def _recover(self) -> None:
        """Slow members that have caught up go through the lobby for a snapshot."""
        waiting = {waiting.member for waiting in self._lobby}
        for member in self.members:
            if member not in waiting and member.has_caught_up():
                self._lobby.append(Waiting(member, None, self._clock.monotonic()))

    def _turn_away(self) -> None:
        """Nobody waits for ever for a server that is away."""
        latest = self._clock.monotonic() - LOBBY_S_MAX
        for waiting in self._lobby:
            if waiting.since < latest:
                waiting.member.leave(AGAIN_LATER, "the auction is interrupted")

    async def _deliver(self) -> None:
        """Write what was composed, a slice of the sockets at a time, so acks pass in between."""
        outbox, self._outbox = self._outbox, []
        written = 0
        for members, frames in outbox:
            for member in members:
                member.show(frames)
                written += 1
                if written % SLICE == 0:
                    await asyncio.sleep(0)
        if written:
            self.delivered += written
            self._metrics.deliveries.inc(written)

    # -- what is shown --------------------------------------------------------------------------

    def _compose(self, state: State) -> None:
        """Everything new, for each seat one text of frames. `state` is durable and holds still."""
        now_us = self.book.now_us()
        told = self._told_to_all(state, now_us)
        if not told and not self._fresh and not self._renamed:
            return
        fresh, self._fresh, self._renamed = self._fresh, [], False
        happened = conflated(fresh)
        news: dict[Audience, list[bytes]] = {}
        shown: dict[Audience, Shown] = {}
        frames_max = 0
        for seat in tuple(self._seats.values()):
            key = audience(state, seat.viewer)
            if key != seat.key:
                seat.key, seat.personal = key, made.personal_view(state, seat.viewer, now_us)
                self._send(seat.members, [self._snapshot(state, seat.viewer, now_us)])
                shown.setdefault(key, made.shown_now(state, key, self.names))
                continue
            if key not in news:
                now = shown.setdefault(key, made.shown_now(state, key, self.names))
                frames = made.shared_frames(state, happened, key, self._shown.get(key), now)
                news[key] = [messages.encode(frame) for frame in frames] + told
            frames_sent = news[key] + self._personal(state, seat, now_us)
            frames_max = max(frames_max, len(frames_sent))
            self._send(seat.members, frames_sent)
        self._shown = shown
        pause_s = min(frames_max * FRAME_PAUSE_S, PAUSE_S_MAX)
        self._due_at = self._clock.monotonic() + pause_s

    def _told_to_all(self, state: State, now_us: int) -> list[bytes]:
        """Frames that are the same for everybody: the state where it changed, the head when due."""
        frames = []
        view = made.state_view(state, now_us)
        if view != self._state_shown:
            self._state_shown = view
            frames.append(messages.encode(made.state_frame(view)))
        now = self._clock.monotonic()
        if state.seq > self._head_seq and now >= self._head_at:
            self._head_seq, self._head_at = state.seq, now + HEAD_EVERY_S
            head = self._signer.head(
                self.book.auction_id, state.seq, state.ts, self.book.fold.chain
            )
            frames.append(messages.encode(made.head_frame(head)))
        return frames

    def _personal(self, state: State, seat: Seat, now_us: int) -> list[bytes]:
        view = made.personal_view(state, seat.viewer, now_us)
        if view is None or view == seat.personal:
            return []
        seat.personal = view
        return [messages.encode(made.you_frame(state, view))]

    def _snapshot(self, state: State, viewer: Viewer, now_us: int) -> bytes:
        return messages.encode(
            made.snapshot_frame(state, viewer, self.book.epoch, now_us, self.names)
        )

    def _show_state(self, view: Frame) -> None:
        if view != self._state_shown:
            self._state_shown = view
            seated = {member for seat in self._seats.values() for member in seat.members}
            self._send(seated, [messages.encode(made.state_frame(view))])

    def _send(self, members: Iterable[Member], frames: list[bytes]) -> None:
        if frames:
            self._outbox.append((tuple(members), b"".join(frames)))

    # -- the lobby ------------------------------------------------------------------------------

    def _seat_lobby(self, state: State) -> None:
        """Nothing is left to be told to the others, so a snapshot of now continues seamlessly."""
        lobby, self._lobby = self._lobby, []
        if not lobby:
            return
        now_us = self.book.now_us()
        self._show_state(made.state_view(state, now_us))
        snapshots: dict[Viewer, bytes] = {}
        late = self._clock.monotonic() - LOBBY_S_MAX
        for waiting in lobby:
            member, hello = waiting.member, waiting.hello
            if hello and (hello.last_seq or 0) > state.seq and waiting.since > late:
                # Another node has shown it more than we know yet.
                self._lobby.append(waiting)
                continue
            known = state.bidders.get(member.alias or "")
            if known is not None and not known.admitted:
                member.leave(NOT_ADMITTED, "excluded from the auction")
                continue
            seat = self._seat(state, member.viewer, now_us)
            missed = None if hello is None else self._missed(state, seat, hello)
            if missed is None:
                if member.viewer not in snapshots:
                    snapshots[member.viewer] = self._snapshot(state, member.viewer, now_us)
                missed = snapshots[member.viewer]
            member.behind_since = None
            seat.members.add(member)
            self._outbox.append(((member,), missed))

    def _seat(self, state: State, viewer: Viewer, now_us: int) -> Seat:
        """The seat, with its members and its audience up to date."""
        seat = self._seats.get(viewer)
        if seat is None:
            seat = self._seats[viewer] = Seat(viewer, audience(state, viewer))
            seat.personal = made.personal_view(state, viewer, now_us)
        else:
            self._send(seat.members, self._personal(state, seat, now_us))
        if seat.key not in self._shown:
            self._shown[seat.key] = made.shown_now(state, seat.key, self.names)
        return seat

    def _missed(self, state: State, seat: Seat, hello: Hello) -> bytes | None:
        """What happened after `last_seq`, closed by the whole of what may have changed; None when
        that is not known here, so that it takes a snapshot.
        """
        last_seq = hello.last_seq
        if last_seq is None or hello.epoch != self.book.epoch or last_seq > state.seq:
            return None
        if last_seq < state.seq and (not self._ring or self._ring[0].seq > last_seq + 1):
            return None
        happened = conflated(durable for durable in self._ring if durable.seq > last_seq)
        frames = made.shared_frames(state, happened, seat.key, None, self._shown[seat.key])
        frames.append(made.state_frame(self._state_shown))
        if seat.personal is not None:
            frames.append(made.you_frame(state, seat.personal))
        return b"".join(messages.encode(frame) for frame in frames)
