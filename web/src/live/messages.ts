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
  /** Why the bid looks unusually low; only buyers are told. */
  abnormally_low?: string[];
}

export interface You {
  alias?: string | null;
  admitted?: boolean;
  best?: string | null;
  /** Of the best price: the fraction it is divided by, and what it is worth then. */
  coefficient?: string | null;
  evaluated?: string | null;
  rank?: number | null;
  /** The totals of the own best bid by the lines' ids. */
  lines?: Record<string, string>;
  auto?: string | null;
  /** The best price is not published yet: sealed, or named in the running turn or step. */
  pending?: boolean;
  turn?: boolean;
  /** The price of the clock was accepted: the own next bid is the answer at the end. */
  last_word?: boolean;
  dropped_at?: number | null;
}

/** What is going on now; whose turn it is only where names are shown. */
export interface Stage {
  /** Somebody accepted the price of the clock. */
  taken?: boolean;
  name: string;
  ends_at?: string | null;
  phase?: number;
  round?: number;
  turn?: number;
  step?: number;
  price?: string;
  alias?: string;
}

export interface Next {
  max_price: string | null;
}

export interface Terms {
  title?: string;
  currency: string;
  ceiling?: string | { amount: string; currency: string } | null;
  rules?: Rules;
}

/** One format with its clock; durations in seconds, money as decimal text. */
export interface PhaseRules {
  format?: string;
  duration_s?: number;
  step?: StepRule;
  rounds?: number;
  turn_s?: number;
  first_pause_s?: number;
  pause_s?: number;
  announce_s?: number;
  start?: string;
  increment?: string;
  decrement?: string;
  interval_s?: number;
  cap?: string;
  floor?: string;
}

export interface Feature {
  id: string;
  title?: string;
  max: string;
  source?: "options" | "rating";
  options?: { id: string; title?: string; value: string }[];
}

export interface Scoring {
  kind?: "price" | "meat" | "lcc" | "mixed";
  features?: Feature[];
  costs?: { id: string; title?: string }[];
}

export interface Rules extends PhaseRules {
  starts_at?: string;
  phases?: PhaseRules[];
  visibility?: string;
  tie_rank?: string;
  scoring?: Scoring;
  lines?: { id: string; title?: string; quantity?: string | null }[];
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
  stage?: Stage;
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
  stage?: Stage;
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
