/* Where the auction is, for formats that go in stages: phases, rounds and turns, the steps of a clock. */

import { countdown, instantMs, spokenMark } from "../live/clock";
import { formatOf, isClock, priceOfStep, stepsCount } from "../formats";
import { phaseNow, phasesOf, roundParts, stepNumber, turnsCount } from "../live/formats";
import type { PhaseRules } from "../live/messages";
import type { Room } from "../live/room";
import { _ } from "../texts";
import { announce, element, fit, make, money, shown, write } from "./page";
import { wordsFor } from "./standing";

const LAST_MS = 10_000;

export class StageView {
  private turn: string | null = null;
  private out: number | null | undefined;
  private leftMs = Infinity;
  private track = "";
  private ownTurns = new Set<string>();

  draw(room: Room): void {
    const phase = phaseNow(room);
    const phases = phasesOf(room.terms);
    const format = formatOf(phase);
    const clock = isClock(phase);
    const running = room.state === "open" || room.state === "paused";
    element("main").toggleAttribute("data-clock", clock);
    element("main").toggleAttribute("data-sealed", format.isSealed);
    element("main").dataset.state = room.state;
    const box = element("stage");
    box.hidden = phases.length === 1 && !format.hasOwnClock;
    box.dataset.turn = room.you.turn ? "own" : "other";
    write("stage-label", label(room, phase, phases));
    write("stage-title", running ? format.title(room, wordsFor(room)) : before(room, phase));
    write("stage-note", note(room, phase) || "\u00a0");
    element("stage-clock").hidden = !clock;
    if (clock) fit("now-price", shown(room.stage.price ?? phase.start));
    this.drawTrack(room, phase, phases);
    this.speakTurn(room);
    this.speakOut(room);
  }

  /** Ten times a second: the time that the running stage has left. */
  tick(room: Room, nowMs: number): void {
    const endsAtMs = instantMs(room.stage.ends_at);
    const running = room.state === "open" && !Number.isNaN(endsAtMs) && formatOf(phaseNow(room)).hasOwnClock;
    const leftMs = running ? endsAtMs - nowMs : Infinity;
    element("stage-time").hidden = !running;
    if (running) write("stage-time", countdown(leftMs));
    const spanMs = lengthS(room) * 1_000;
    const share = running && spanMs > 0 ? Math.min(1, Math.max(0, leftMs / spanMs)) : 0;
    element("stage-fill").style.setProperty("--left", share.toFixed(4));
    element("stage").dataset.urgency = running && leftMs <= Math.min(LAST_MS, spanMs / 3) ? "last" : "none";
    const mark = room.you.turn ? spokenMark(this.leftMs, leftMs) : null;
    this.leftMs = leftMs;
    if (mark !== null) announce(_("%(seconds)s seconds of your turn left.", { seconds: mark }));
  }

  /** The own turn must be noticed without looking: said here, and in the tab's title (band.ts). */
  private speakTurn(room: Room): void {
    const turn = room.you.turn && room.state === "open" ? `${room.stage.round}-${room.stage.turn}` : "";
    if (turn) this.ownTurns.add(turn);
    if (turn === this.turn) return;
    if (turn && room.stage.round === undefined) announce(_("You have the last word now."));
    else if (turn) announce(_("It is your turn, round %(round)s.", { round: room.stage.round ?? 1 }));
    else if (this.turn) announce(_("Your turn is over."));
    this.turn = turn;
  }

  private speakOut(room: Room): void {
    const out = room.you.dropped_at ?? null;
    const isNews = out !== null && this.out === null;
    this.out = room.known ? out : undefined;
    if (isNews) announce(_("You dropped out at step %(step)s", { step: stepNumber(out) }));
  }

  private drawTrack(room: Room, phase: PhaseRules, phases: PhaseRules[]): void {
    const rounds = phase.rounds ?? 0;
    const turns = turnsCount(room);
    const over = room.state === "closed" || room.state === "cancelled";
    const key = JSON.stringify([room.stage.phase, room.stage.round, room.stage.turn, turns, over, room.state === "scheduled", room.you.turn]);
    if (key === this.track) return;
    this.track = key;
    const items = phases.length > 1 ? phases.map((each, index) => phaseItem(each, index, room, over)) : [];
    for (let round = 1; round <= rounds; round++) items.push(this.roundItem(phase, round, turns, room));
    element("stage-track").replaceChildren(...items);
  }

  private roundItem(phase: PhaseRules, round: number, turns: number | null, room: Room): HTMLElement {
    const item = make("li", "stage-item");
    const stage = room.state === "scheduled" ? { name: "scheduled", round: 0 } : room.stage;
    const parts = roundParts(phase, round, turns, stage);
    const isNow = parts.some((part) => part.when === "now") || stage.round === round;
    item.dataset.when = isNow ? "now" : parts.every((part) => part.when === "past") ? "past" : "later";
    if (isNow) item.setAttribute("aria-current", "step");
    item.append(make("span", "", _("Round %(round)s", { round })));
    const bar = make("div", "stage-parts");
    bar.setAttribute("aria-hidden", "true");
    for (const part of parts) {
      const piece = make("i");
      Object.assign(piece.dataset, { kind: part.kind, when: part.when, own: String(this.ownTurns.has(`${round}-${part.turn}`)) });
      piece.style.flexGrow = String(Math.max(part.lengthS, 1));
      bar.append(piece);
    }
    item.append(bar);
    return item;
  }
}

function phaseItem(phase: PhaseRules, index: number, room: Room, over: boolean): HTMLElement {
  const item = make("li", "stage-item");
  const now = room.stage.phase ?? 0;
  const started = room.state !== "scheduled";
  item.dataset.when = over || (started && index < now) ? "past" : started && index === now ? "now" : "later";
  if (item.dataset.when === "now") item.setAttribute("aria-current", "step");
  item.append(make("span", "", `${index + 1} · ${formatOf(phase).label()}`), make("div", "stage-parts"));
  item.lastElementChild!.append(Object.assign(make("i")));
  (item.lastElementChild!.firstElementChild as HTMLElement).dataset.when = item.dataset.when;
  return item;
}

function label(room: Room, phase: PhaseRules, phases: PhaseRules[]): string {
  const index = room.stage.phase ?? 0;
  const parts = phases.length > 1 ? [_("Phase %(number)s of %(count)s", { number: index + 1, count: phases.length })] : [];
  if (phase.rounds !== undefined && room.stage.round) parts.push(_("Round %(round)s of %(rounds)s", { round: room.stage.round, rounds: phase.rounds ?? 0 }));
  const steps = isClock(phase) ? stepsCount(phase, money.exponent) : null;
  if (isClock(phase) && room.stage.step !== undefined) parts.push(steps !== null && steps < 1_000 ? _("Step %(step)s of %(steps)s", { step: stepNumber(room.stage.step), steps }) : _("Step %(step)s", { step: stepNumber(room.stage.step) }));
  return parts.join(" · ") || formatOf(phase).label();
}

function before(room: Room, phase: PhaseRules): string {
  if (room.state === "closed") return _("All stages are over");
  if (room.state === "cancelled") return _("Cancelled");
  return formatOf(phase).before();
}

function note(room: Room, phase: PhaseRules): string {
  return isClock(phase) ? nextPrice(room, phase) : formatOf(phase).note(room);
}

function nextPrice(room: Room, phase: PhaseRules): string {
  if (room.state === "closed" || room.state === "cancelled") return "";
  const next = priceOfStep(phase, room.state === "scheduled" ? 1 : (room.stage.step ?? 0) + 1, money.exponent);
  return next === null ? _("This is the last step.") : _("Next: %(price)s", { price: money.full(next) });
}

function lengthS(room: Room): number {
  const phase = phaseNow(room);
  if (isClock(phase)) return phase.interval_s ?? 0;
  if (room.stage.name === "turn") return phase.turn_s ?? 0;
  if (room.stage.name === "before_announcement") return phase.announce_s ?? 0;
  return (room.stage.round === 1 ? phase.first_pause_s : phase.pause_s) ?? 0;
}
