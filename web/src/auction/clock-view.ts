/* One clock they can trust: the server's, counted down here, with its own error shown. */

import { countdown, instantMs, spokenMark } from "../live/clock";
import { formatOf, isClock } from "../formats";
import { phaseNow, phasesOf } from "../live/formats";
import type { Room } from "../live/room";
import { _ } from "../texts";
import { clockTime } from "../times";
import { announce, data, element, fit, write } from "./page";

const LAST_MS = 10_000;
const SOON_MS = 60_000;
const FLASH_MS = 5_000;

const LABELS = {
  scheduled: () => _("Opens in"),
  open: () => _("Closes in"),
  paused: () => _("Paused"),
  closed: () => _("Closed"),
  cancelled: () => _("Cancelled"),
};

export class ClockView {
  private leftMs = Infinity;
  private spanMs = 0;
  private flashing = 0;
  private closeAtMs: number | null = null;

  /** Draw the time of `nowMs`; `uncertaintyMs` is how far it may be off. */
  draw(room: Room, nowMs: number, uncertaintyMs: number): void {
    if (!room.known) return;
    const box = element("clock");
    if (box.dataset.state !== room.state) box.dataset.state = room.state;
    write("clock-label", label(room));
    const target = room.state === "scheduled" ? instantMs(room.terms.rules?.starts_at ?? data.starts_at) : (room.closeAtMs ?? NaN);
    this.noteClose(room, nowMs);
    const leftMs = Number.isNaN(target) ? 0 : target - nowMs;
    fit("clock-time", this.face(room, leftMs));
    write("close-label", room.state === "scheduled" ? _("Opens at") : room.state === "closed" ? _("Closed at") : _("Closes at"));
    write("close-at", Number.isNaN(target) || room.state === "paused" ? "–" : clockTime(target));
    write("clock-trust", trust(uncertaintyMs));
    this.urgency(box, room, leftMs);
    this.speak(room, leftMs);
  }

  /** The close moved: by how much and from when, long enough to be read, and said once. */
  extended(fromMs: number, closeAtMs: number): void {
    write("extended-by", _("+%(time)s", { time: countdown(closeAtMs - fromMs, "seconds") }));
    write("extended-from", _("%(old)s → %(new)s", { old: clockTime(fromMs), new: clockTime(closeAtMs) }));
    const flash = element("clock-flash");
    flash.hidden = false;
    clearTimeout(this.flashing);
    this.flashing = window.setTimeout(() => (flash.hidden = true), FLASH_MS);
    announce(_("Extended. The auction now closes at %(time)s.", { time: clockTime(closeAtMs) }));
  }

  private face(room: Room, leftMs: number): string {
    if (room.state === "open" || room.state === "scheduled") return countdown(leftMs);
    return room.state === "paused" ? "⏸" : "00:00";
  }

  private noteClose(room: Room, nowMs: number): void {
    if (room.closeAtMs === this.closeAtMs) return;
    if (room.closeAtMs !== null) this.spanMs = Math.max(room.closeAtMs - nowMs, 1);
    this.closeAtMs = room.closeAtMs;
  }

  private urgency(box: HTMLElement, room: Room, leftMs: number): void {
    const running = room.state === "open";
    const urgency = !running || leftMs > SOON_MS ? "none" : leftMs > LAST_MS ? "soon" : "last";
    if (box.dataset.urgency !== urgency) box.dataset.urgency = urgency;
    const share = running && this.spanMs > 0 ? Math.min(1, Math.max(0, leftMs / this.spanMs)) : 0;
    element("clock-fill").style.setProperty("--left", share.toFixed(4));
  }

  private speak(room: Room, leftMs: number): void {
    const mark = room.state === "open" ? spokenMark(this.leftMs, leftMs) : null;
    this.leftMs = room.state === "open" ? leftMs : Infinity;
    if (mark === null) return;
    announce(mark >= 120 ? _("%(minutes)s minutes left.", { minutes: mark / 60 }) : _("%(seconds)s seconds left.", { seconds: mark }));
  }
}

/** What the big clock counts to: a moving price may end it earlier, a seal is opened by it. */
function label(room: Room): string {
  const phase = phaseNow(room);
  if (room.state === "open" && isClock(phase)) return _("Ends at the latest in");
  return room.state === "open" && formatOf(phase).isSealed && phasesOf(room.terms).length === 1 ? _("Bids are opened in") : LABELS[room.state]();
}

function trust(uncertaintyMs: number): string {
  if (!Number.isFinite(uncertaintyMs)) return _("measuring");
  return uncertaintyMs < 1 ? _("exact to 1 ms") : _("exact to %(ms)s ms", { ms: Math.ceil(uncertaintyMs) });
}
