/* The frames of the live channel, as in the public contract. Money is decimal text in the lot's currency. */

import type { StepRule } from "./steps";

export type AuctionState = "scheduled" | "open" | "paused" | "closed" | "cancelled";

export interface StandingRow {
  rank: number | null;
  alias: string | null;
  organisation?: string | null;
  price?: string | null;
  coefficient?: string | null;
  evaluated?: string | null;
  seq?: number | null;
  ts?: string | null;
}

export interface You {
  alias?: string | null;
  admitted?: boolean;
  best?: string | null;
  rank?: number | null;
  auto?: string | null;
}

export interface Next {
  max_price: string | null;
}

export interface Terms {
  title?: string;
  currency: string;
  ceiling?: string | { amount: string; currency: string } | null;
  rules?: { step?: StepRule; visibility?: string; scoring?: { kind?: string } };
}

export interface Snapshot {
  type: "snapshot";
  epoch: number;
  seq: number;
  now: string;
  terms: Terms;
  state: AuctionState;
  reason?: string | null;
  close_at: string | null;
  you?: You | null;
  standing: StandingRow[];
  next?: Next | null;
}

export interface EventFrame {
  type: "event";
  seq: number;
  ts: string;
  kind: string;
  state?: AuctionState;
  close_at?: string | null;
  reason?: string | null;
  you?: You;
  next?: Next | null;
  standing?: StandingRow[];
  [field: string]: unknown;
}

export interface Ack {
  type: "ack";
  cid: string;
  seq: number;
  ts: string;
  outcome: "accepted" | "refused";
  code?: string | null;
  detail?: string | null;
  limit?: string | null;
  /** The token that confirms this price, with code confirm_required. */
  confirm?: string | null;
  token?: string | null;
  rank?: number | null;
  evaluated?: string | null;
  next?: Next | null;
  receipt: unknown;
}

export interface StateFrame {
  type: "state";
  state: AuctionState;
  close_at: string | null;
  reason?: string | null;
}

export interface HintFrame {
  type: "hint";
  id: string;
  price: string | null;
}

export interface Pong {
  type: "pong";
  t: number;
  now: string;
}

/** `cid` or `id` says which of our frames it is about; none: the socket as a whole. */
export interface ErrorFrame {
  type: "error";
  code: string;
  detail: string;
  cid?: string;
  id?: string | number;
  retry_after_s?: number;
}

export type ServerFrame = Snapshot | EventFrame | Ack | StateFrame | HintFrame | Pong | ErrorFrame;

/** A frame, or null when the text is none: a client never dies of one bad frame. */
export function parseFrame(text: string): ServerFrame | null {
  try {
    const frame: unknown = JSON.parse(text);
    const tagged = frame !== null && typeof frame === "object" && "type" in frame && typeof frame.type === "string";
    return tagged ? (frame as ServerFrame) : null;
  } catch {
    return null;
  }
}
