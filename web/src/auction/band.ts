/* The band at the top of the room and the title of the tab: what counts right now, strongest first. */

import { type Tone, fellBack, toneOf } from "../live/band";
import { countdown } from "../live/clock";
import type { Room } from "../live/room";
import { _ } from "../texts";
import type { Alerts } from "./alerts";
import { data, element, shown, write } from "./page";

const HEADING = document.querySelector("h1")?.textContent ?? "";
const OWN_TITLE = document.title;

export class Band {
  private outbid = false;
  private wasLast = false;
  private channel = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel("marketplace-auctions");

  constructor(private readonly alerts: Alerts) {
    window.addEventListener("pagehide", () => this.tellOthers(null));
  }

  /** The room moved on by one frame. */
  moved(before: Room, after: Room): void {
    if (fellBack(before, after)) {
      this.outbid = true;
      this.alerts.outbid();
      this.tellOthers(after);
    } else if (this.outbid && (after.you.rank === 1 || after.state !== "open")) this.acted();
  }

  /** The person did something about it. */
  acted(): void {
    this.outbid = false;
    this.tellOthers(null);
  }

  tick(room: Room, live: boolean, nowMs: number): void {
    const leftMs = room.closeAtMs === null ? Infinity : room.closeAtMs - nowMs;
    const tone = toneOf(room, live, this.outbid, leftMs);
    const last = room.state === "open" && leftMs <= 60_000;
    if (last && !this.wasLast && live && leftMs > 0) this.alerts.lastMinute();
    this.wasLast = last;
    const title = titleOf(room, live, leftMs);
    if (document.title !== title) document.title = title;
    if (data.view !== "supplier") return;
    element("band").dataset.tone = tone;
    const [heading, text] = wordsOf(tone, room);
    write("band-title", heading);
    write("band-text", text);
  }

  /** Other tabs show it too; null: nothing to worry about any more. */
  private tellOthers(room: Room | null): void {
    const rank = room?.you.rank ?? null;
    this.channel?.postMessage({ path: location.pathname, title: HEADING, rank, closeAtMs: room?.closeAtMs ?? null });
  }
}

/** `00:09 · rank 2 · Pumps`, behind "Your turn" where turns are taken: what a narrow tab shows of it is what counts most. */
function titleOf(room: Room, live: boolean, leftMs: number): string {
  if (!room.known || (room.state !== "open" && room.state !== "paused")) return OWN_TITLE;
  if (!live) return `${_("No connection")} · ${HEADING}`;
  const rank = room.you.rank == null ? null : _("rank %(rank)s", { rank: room.you.rank });
  const time = room.state === "paused" ? _("Paused") : Number.isFinite(leftMs) ? countdown(leftMs, "seconds") : null;
  const turn = room.you.turn && room.state === "open" ? _("Your turn") : null;
  return [turn, time, rank, HEADING].filter(Boolean).join(" · ");
}

function wordsOf(tone: Tone, room: Room): [title: string, text: string] {
  const rank = room.you.rank ?? "";
  const best = shown(room.you.best);
  switch (tone) {
    case "wait":
      return [_("Connecting"), ""];
    case "lost":
      return [_("No connection, trying again"), _("Rank and prices may be old.")];
    case "lead":
      return [_("You lead"), room.you.best == null ? "" : _("with %(price)s", { price: best })];
    case "outbid":
      return [_("Outbid"), _("now rank %(rank)s", { rank })];
    case "last":
      return [_("Last minute"), room.you.rank == null ? "" : _("rank %(rank)s", { rank })];
    case "behind":
      return [_("Rank %(rank)s", { rank }), _("not leading")];
    case "paused":
      return [_("Paused"), room.reason && room.reason !== "interrupted" ? room.reason : _("the time that is left stays")];
    case "won":
      return [_("Finished first"), _("with %(price)s", { price: best })];
    case "ended":
      return room.state === "cancelled" ? [_("Cancelled"), room.reason ?? ""] : [_("Closed"), room.you.rank == null ? "" : _("rank %(rank)s", { rank })];
    case "quiet":
      return quiet(room);
  }
}

function quiet(room: Room): [title: string, text: string] {
  if (room.state === "scheduled") return [_("Not open yet"), ""];
  if (room.you.best == null) return [_("Open"), _("you have no bid yet")];
  return [room.you.pending ? _("Your bid is in") : _("Your bid stands"), shown(room.you.best)];
}
