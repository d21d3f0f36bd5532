/* The box under the thumb: what can be done now, and the confirming tap. One size, so that nothing jumps. */

import { element, fit, write } from "./page";

// A finger that taps twice must not confirm what it never read.
const DOUBLE_TAP_MS = 300;

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

  constructor() {
    element("confirm-no").addEventListener("click", () => this.back());
    element("confirm-yes").addEventListener("click", (click) => this.confirm(click.timeStamp));
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

  /** `tappedAtMs` is when the finger came down, which on a busy phone is long before this runs. */
  private confirm(tappedAtMs: number): void {
    if (this.armed === null || tappedAtMs - this.armedAtMs < DOUBLE_TAP_MS) return;
    const { done } = this.armed;
    this.back();
    done();
  }

  private draw(): void {
    const shown = this.armed ? "confirm" : (this.mode ?? "steps");
    const box = element("bid");
    box.dataset.mode = shown;
    for (const [mode, id] of PARTS) element(id).hidden = mode !== shown;
  }
}

const PARTS = [["steps", "bid-idle"], ["clock", "bid-clock"], ["confirm", "bid-confirm"], ["over", "bid-over"]] as const;
