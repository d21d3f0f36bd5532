/* What this person may know of the auction, folded from frames. Pure: frame in, state out. */

import { instantMs } from "./clock";
import type { Ack, AuctionState, EventFrame, Next, ServerFrame, StandingRow, StateFrame, Terms, You } from "./messages";

const FEED_MAX = 200;

export interface FeedEntry {
  seq: number;
  ts: string;
  kind: string;
  event: EventFrame;
}

export interface Room {
  known: boolean;
  terms: Terms;
  state: AuctionState;
  reason: string | null;
  closeAtMs: number | null;
  you: You;
  standing: StandingRow[];
  maxPrice: string | null;
  feed: FeedEntry[];
  /** Extensions seen since the page was opened; the view flashes when it rises. */
  extensions: number;
}

export function emptyRoom(currency: string): Room {
  return {
    known: false,
    terms: { currency },
    state: "scheduled",
    reason: null,
    closeAtMs: null,
    you: {},
    standing: [],
    maxPrice: null,
    feed: [],
    extensions: 0,
  };
}

/** The room after one frame. Unknown frames and fields change nothing, so a newer server does not break an open page. */
export function fold(room: Room, frame: ServerFrame): Room {
  if (frame.type === "snapshot") {
    const { terms, state, standing, you } = frame;
    const fresh = { ...room, known: true, terms, state, standing, you: you ?? {}, reason: frame.reason ?? null };
    return withNext({ ...fresh, closeAtMs: closeMs(frame.close_at) }, frame.next);
  }
  if (frame.type === "state") return withState(room, frame);
  if (frame.type === "ack") return withAck(room, frame);
  return frame.type === "event" ? withEvent(room, frame) : room;
}

function withState(room: Room, frame: StateFrame): Room {
  return { ...room, state: frame.state, closeAtMs: closeMs(frame.close_at), reason: frame.reason ?? null };
}

function withAck(room: Room, ack: Ack): Room {
  const you = ack.rank == null ? room.you : { ...room.you, rank: ack.rank };
  return withNext({ ...room, you }, ack.next);
}

const STATE_AFTER: Record<string, AuctionState> = {
  opened: "open",
  paused: "paused",
  resumed: "open",
  closed: "closed",
  cancelled: "cancelled",
};

function withEvent(room: Room, event: EventFrame): Room {
  if (room.feed.some((entry) => entry.seq === event.seq && entry.kind === event.kind)) return room;
  const entry: FeedEntry = { seq: event.seq, ts: event.ts, kind: event.kind, event };
  const next: Room = { ...room, feed: [entry, ...room.feed].slice(0, FEED_MAX) };
  next.state = STATE_AFTER[event.kind] ?? room.state;
  if (event.kind in STATE_AFTER) next.reason = typeof event.reason === "string" ? event.reason : null;
  if (typeof event.close_at === "string") next.closeAtMs = closeMs(event.close_at);
  if (event.kind === "extended") next.extensions = room.extensions + 1;
  if (Array.isArray(event.standing)) next.standing = event.standing as StandingRow[];
  if (isObject(event.you)) next.you = { ...room.you, ...(event.you as You) };
  return isObject(event.next) ? withNext(next, event.next as unknown as Next) : next;
}

function withNext(room: Room, next: Next | null | undefined): Room {
  return next ? { ...room, maxPrice: next.max_price } : room;
}

function closeMs(value: string | null): number | null {
  const at = instantMs(value);
  return Number.isNaN(at) ? null : at;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}
