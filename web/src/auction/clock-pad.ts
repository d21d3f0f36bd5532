/* A price that moves by itself: one button that names step and price. Where the first accept ends it, it asks once more; else it asks at every step. */

import { formatOf } from "../formats";
import { phaseNow, phasesOf, stepNumber } from "../live/formats";
import type { Room } from "../live/room";
import { _ } from "../texts";
import type { Pad } from "./pad";
import { element, fitInto, money, shown, write } from "./page";

// Who taps just as the price changes meant the former one.
const FRESH_STEP_MS = 350;

export class ClockPad {
  private step: number | null = null;
  private steppedAtMs = 0;
  private price = "";
  private firstEnds = false;
  /** Phases follow: the accepted price is the one to beat, not the last word. */
  private hybrid = false;
  private armedStep: number | null = null;
  private sentStep: number | null = null;

  constructor(
    private readonly pad: Pad,
    private readonly accept: (step: number, price: string) => void,
  ) {
    element("accept").addEventListener("click", () => this.tap());
  }

  draw(room: Room, open: boolean): void {
    this.firstEnds = formatOf(phaseNow(room)).clock?.firstEnds === true;
    this.hybrid = phasesOf(room.terms).length > 1;
    this.noteStep(room.stage.step ?? null);
    this.price = room.stage.price ?? "";
    const button = element<HTMLButtonElement>("accept");
    const isIn = !this.firstEnds && room.you.pending === true;
    const sent = this.sentStep !== null && this.sentStep === this.step;
    button.disabled = !open || this.step === null || isIn || sent;
    button.dataset.state = isIn ? "in" : sent ? "sent" : "ask";
    write("accept-verb", this.verb(isIn));
    fitInto(element("accept-price"), shown(this.price));
    write("accept-note", this.note(isIn));
    if (this.armedStep !== null && (!this.pad.isArmed || this.armedStep !== this.step)) this.passed();
  }

  /** The answer came: accepted shows by itself, refused may be tried again. */
  answered(): void {
    this.sentStep = null;
  }

  private noteStep(step: number | null): void {
    if (step === this.step) return;
    this.step = step;
    this.steppedAtMs = performance.now();
  }

  private verb(isIn: boolean): string {
    if (this.firstEnds) return _("Accept step %(step)s", { step: stepNumber(this.step) });
    return isIn ? _("You are in at") : _("Stay in, step %(step)s", { step: stepNumber(this.step) });
  }

  private note(isIn: boolean): string {
    if (this.firstEnds && this.hybrid) return _("The first to accept sets the price that the others must beat.");
    if (this.firstEnds) return _("The first to accept wins at the price of that step.");
    return isIn ? _("Confirmed. Wait for the next step.") : _("Who does not confirm a step in time drops out.");
  }

  private tap(): void {
    if (this.step === null) return;
    if (performance.now() - this.steppedAtMs < FRESH_STEP_MS) return this.tooFresh();
    const [step, price] = [this.step, this.price];
    if (!this.firstEnds) return this.send(step, price);
    this.armedStep = step;
    this.pad.arm({
      label: _("Accept step %(step)s at", { step: stepNumber(step) }),
      price: shown(price),
      change: this.hybrid ? _("The others must then bid below it. It is binding.") : _("This wins and ends the auction. It is binding."),
      yes: _("Accept this price"),
      done: () => {
        this.armedStep = null;
        this.send(step, price);
      },
    });
  }

  private tooFresh(): void {
    element("bid-answer").dataset.tone = "wait";
    write("bid-answer", _("The price had just changed to %(price)s; nothing was accepted. Tap again.", { price: shown(this.price) }));
  }

  private send(step: number, price: string): void {
    this.sentStep = step;
    this.accept(step, price);
  }

  /** The step went by while the person was reading; nothing was accepted. */
  private passed(): void {
    this.armedStep = null;
    if (!this.pad.isArmed) return;
    this.pad.back();
    element("bid-answer").dataset.tone = "wait";
    const price = money.minor(this.price);
    if (price !== null) write("bid-answer", _("The price moved on to %(price)s. Nothing was accepted.", { price: money.full(price) }));
  }
}
