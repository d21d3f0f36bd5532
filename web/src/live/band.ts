/* The one thing a bidder must know right now, as the tone of the band at the top. Pure; the words are in auction/band.ts. */

import { formatOf } from "../formats";
import { phaseNow } from "./formats";
import type { Room } from "./room";

export type Tone = "lost" | "wait" | "paused" | "lead" | "outbid" | "last" | "behind" | "quiet" | "won" | "ended";

export const LAST_MINUTE_MS = 60_000;

/**
 * What counts first wins: a line that is not there, an end, a pause; then being outbid, which stays until the
 * person acts or leads again.
 */
export function toneOf(room: Room, live: boolean, outbid: boolean, leftMs: number): Tone {
  if (!room.known) return "wait";
  const over = room.state === "closed" || room.state === "cancelled";
  const rank = room.you.rank ?? null;
  // What is over stays true without a line.
  if (!live && !over) return "lost";
  if (room.state === "closed") return rank === 1 ? "won" : "ended";
  if (room.state === "cancelled") return "ended";
  if (room.state === "paused") return "paused";
  if (room.state === "scheduled") return "quiet";
  if (formatOf(phaseNow(room)).isSealed || rank === null) return leftMs <= LAST_MINUTE_MS ? "last" : "quiet";
  if (rank === 1) return "lead";
  if (outbid) return "outbid";
  return leftMs <= LAST_MINUTE_MS ? "last" : "behind";
}

/** Whether somebody passed this bidder between two looks at the room. */
export function fellBack(before: Room, after: Room): boolean {
  if (!before.known || after.state !== "open") return false;
  const [was, is] = [before.you.rank ?? null, after.you.rank ?? null];
  return was !== null && is !== null && is > was;
}
