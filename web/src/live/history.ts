/* What happened before this page was opened, from the auction's transcript (JSON Lines): events as the socket sends them. */

import type { EventFrame } from "./messages";
import { formatMinor } from "./money";

// A longer log would cost a phone more than its story is worth.
export const HISTORY_COMMANDS_MAX = 20_000;

interface CommandLine {
  type: string;
  seq: number;
  ts?: number;
  outcome?: { accepted?: boolean; events?: Record<string, unknown>[] };
}

/** Events in the order in which they happened; lines without an outcome are hidden from this reader. */
export function eventsIn(transcript: string, exponent: number): EventFrame[] {
  const events: EventFrame[] = [];
  for (const text of transcript.split("\n")) {
    const line = text ? (JSON.parse(text) as CommandLine) : null;
    if (line?.type !== "command" || line.ts === undefined) continue;
    const ts = new Date(line.ts / 1_000).toISOString();
    for (const event of line.outcome?.events ?? []) events.push(frameOf(line.seq, ts, event, exponent));
  }
  return events;
}

/** The transcript has minor units and microseconds where the socket has decimal text and RFC 3339. */
function frameOf(seq: number, ts: string, event: Record<string, unknown>, exponent: number): EventFrame {
  const { kind, bidder, price, close_at: closeAt, ...rest } = event;
  const frame: EventFrame = { ...rest, type: "event", seq, ts, kind: String(kind) };
  if (typeof bidder === "string") frame.alias = bidder;
  if (typeof price === "number") frame.price = formatMinor(BigInt(price), exponent);
  if (typeof closeAt === "number") frame.close_at = new Date(closeAt / 1_000).toISOString();
  delete frame.evaluated;
  return frame;
}
