/* What this person may know of the auction, folded from frames. Pure: frame in, state out. */

import { instantMs } from "./clock";
import type { Ack, AuctionState, EventFrame, ServerFrame, Snapshot, Stage, StandingRow, StateFrame, Terms, You } from "./messages";

const FEED_MAX = 2_000;
// Frames of these kinds only carry parts of the state; they tell nothing that happened.
const SILENT = new Set(["standing", "you", "head", "stage", "auto"]);

export interface FeedEntry {
  id: string;
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
  stage: Stage;
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
    stage: { name: "scheduled" },
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
  if (frame.type === "event" && typeof frame.starts_at === "string") next.terms = { ...room.terms, rules: { ...room.terms.rules, starts_at: frame.starts_at } };
  if (frame.type === "state") return next;
  if (frame.standing !== undefined) next.standing = frame.standing;
  if (frame.stage !== undefined) next.stage = frame.stage;
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
  const told = SILENT.has(event.kind) ? room : { ...room, feed: withEntry(room.feed, event) };
  const after = STATE_AFTER[event.kind];
  return carried(after ? { ...told, state: after, reason: null } : told, event);
}

/** Newest first. */
function withEntry(feed: FeedEntry[], event: EventFrame): FeedEntry[] {
  const entry = entryOf(event);
  // After a resume the same events may come once more; they are among the newest.
  if (feed.slice(0, 100).some((told) => told.id === entry.id)) return feed;
  return [entry, ...feed].slice(0, FEED_MAX);
}

/** One command may bring several events, so a place in the log alone is no identity. */
function entryOf(event: EventFrame): FeedEntry {
  const alias = typeof event.alias === "string" ? event.alias : "";
  return { id: `${event.seq}-${event.kind}-${alias}`, seq: event.seq, ts: event.ts, kind: event.kind, event };
}

/** The room with older events (oldest first) told as well; they change no state. */
export function withHistory(room: Room, events: EventFrame[]): Room {
  const told = new Set(room.feed.map((entry) => entry.id));
  const older = events.filter((event) => !SILENT.has(event.kind)).map(entryOf).filter((entry) => !told.has(entry.id));
  const feed = [...room.feed, ...older].sort((a, b) => b.seq - a.seq).slice(0, FEED_MAX);
  return { ...room, feed };
}

function closeMs(value: string | null): number | null {
  const at = instantMs(value);
  return Number.isNaN(at) ? null : at;
}
