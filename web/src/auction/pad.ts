/* The box under the thumb: what can be done now, and the confirming tap. One size, so that nothing jumps. */

import { _ } from "../texts";
import { element, fit, write } from "./page";

// Nobody reads a price faster than this; a tap that comes earlier is shown as waiting and taken then, so that
// "Back" still helps. The button lies where no tap on a step can fall, and a key held down counts once.
const READING_MS = 300;

/** `steps` names prices, `clock` accepts them, `over` explains why nothing can be done. */
export type Mode = "steps" | "clock" | "over";

export interface Armed {
  label: string;
  price: string;
  change: string;
  yes: string;
  done: () => void;
}

export class Pad {
  private mode: Mode | null = null;
  private armed: Armed | null = null;
  private armedAtMs = 0;
  private waiting = 0;

  constructor() {
    element("confirm-no").addEventListener("click", () => this.back());
    const yes = element("confirm-yes");
    yes.addEventListener("click", () => this.confirm());
    yes.addEventListener("keydown", (key) => key.repeat && key.preventDefault());
    element("bid").addEventListener("keydown", (key) => key.key === "Escape" && this.back());
    // On a phone the box lies over the page; what is behind it must stay reachable, however high it is.
    new ResizeObserver(() => document.documentElement.style.setProperty("--bid-height", `${element("bid").offsetHeight}px`)).observe(element("bid"));
  }

  get isArmed(): boolean {
    return this.armed !== null;
  }

  /** What can be done now; a question that was asked before stays, unless nothing can be done any more. */
  show(mode: Mode): void {
    if (mode === this.mode) return;
    this.mode = mode;
    this.armed = null;
    this.draw();
  }

  arm(armed: Armed): void {
    this.armed = armed;
    this.armedAtMs = performance.now();
    write("confirm-label", armed.label);
    fit("confirm-price", armed.price);
    write("confirm-change", armed.change || "\u00a0");
    write("confirm-yes", armed.yes);
    this.draw();
    element("confirm-yes").focus({ preventScroll: true });
  }

  back(): void {
    if (this.armed === null) return;
    this.armed = null;
    this.draw();
    const first = element("bid").querySelector<HTMLElement>("[data-first]:not(:disabled), .step:not(:disabled), #bid-price");
    first?.focus({ preventScroll: true });
  }

  private confirm(): void {
    const { armed } = this;
    if (armed === null || this.waiting) return;
    const early = READING_MS - (performance.now() - this.armedAtMs);
    if (early <= 0) return this.take(armed);
    this.waiting = window.setTimeout(() => this.take(armed), early);
    element("confirm-yes").setAttribute("aria-busy", "true");
    write("confirm-yes", _("One moment …"));
  }

  private take(armed: Armed): void {
    if (this.armed !== armed) return;
    this.back();
    armed.done();
  }

  private draw(): void {
    clearTimeout(this.waiting);
    this.waiting = 0;
    element("confirm-yes").removeAttribute("aria-busy");
    const shown = this.armed ? "confirm" : (this.mode ?? "steps");
    const box = element("bid");
    box.dataset.mode = shown;
    for (const [mode, id] of PARTS) element(id).hidden = mode !== shown;
  }
}

const PARTS = [["steps", "bid-idle"], ["clock", "bid-clock"], ["confirm", "bid-confirm"], ["over", "bid-over"]] as const;
