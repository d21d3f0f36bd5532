/* What this person may know of the auction, folded from frames. Pure: frame in, state out. */

import { instantMs } from "./clock";
import type { Ack, AuctionState, EventFrame, ServerFrame, Snapshot, StandingRow, StateFrame, Terms, You } from "./messages";

const FEED_MAX = 200;

export interface FeedEntry {
  seq: number;
  ts: string;
  kind: string;
  event: EventFrame;
}

export interface Room {
  known: boolean;
  seq: number;
  terms: Terms;
  state: AuctionState;
  reason: string | null;
  closeAtMs: number | null;
  you: You;
  standing: StandingRow[];
  maxPrice: string | null;
  feed: FeedEntry[];
}

export function emptyRoom(currency: string): Room {
  return {
    known: false,
    seq: 0,
    terms: { currency },
    state: "scheduled",
    reason: null,
    closeAtMs: null,
    you: {},
    standing: [],
    maxPrice: null,
    feed: [],
  };
}

/**
 * The room after one frame. One rule for all kinds, also those not invented yet: what a frame carries of the known
 * fields replaces them. So a newer server does not break an open page.
 */
export function fold(room: Room, frame: ServerFrame): Room {
  if (frame.type === "snapshot") return carried({ ...room, known: true, terms: frame.terms, reason: null }, frame);
  if (frame.type === "state") return carried({ ...room, reason: null }, frame);
  if (frame.type === "ack") return withAck(room, frame);
  return frame.type === "event" ? withEvent(room, frame) : room;
}

function carried(room: Room, frame: Snapshot | StateFrame | EventFrame): Room {
  const next: Room = { ...room };
  if ("seq" in frame) next.seq = Math.max(room.seq, frame.seq);
  if (frame.state !== undefined) next.state = frame.state;
  if (frame.reason !== undefined) next.reason = frame.reason;
  if (frame.close_at !== undefined) next.closeAtMs = closeMs(frame.close_at);
  if (frame.type === "state") return next;
  if (frame.standing !== undefined) next.standing = frame.standing;
  if (frame.you) next.you = frame.you;
  return frame.next ? { ...next, maxPrice: frame.next.max_price } : next;
}

/** An ack overtaken by newer events says nothing new. */
function withAck(room: Room, ack: Ack): Room {
  if (ack.seq < room.seq) return room;
  const you = ack.rank == null ? room.you : { ...room.you, rank: ack.rank };
  return { ...room, you, maxPrice: ack.next ? ack.next.max_price : room.maxPrice };
}

const STATE_AFTER: Record<string, AuctionState> = {
  opened: "open",
  paused: "paused",
  resumed: "open",
  closed: "closed",
  cancelled: "cancelled",
};

function withEvent(room: Room, event: EventFrame): Room {
  const known = room.feed.some((entry) => entry.seq === event.seq && entry.kind === event.kind);
  const entry: FeedEntry = { seq: event.seq, ts: event.ts, kind: event.kind, event };
  const feed = known ? room.feed : [entry, ...room.feed].slice(0, FEED_MAX);
  const after = STATE_AFTER[event.kind];
  return carried(after ? { ...room, feed, state: after, reason: null } : { ...room, feed }, event);
}

function closeMs(value: string | null): number | null {
  const at = instantMs(value);
  return Number.isNaN(at) ? null : at;
}
