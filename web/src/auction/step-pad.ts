/* The pad under the thumb: pick a price, see the new total, confirm. Two modes in one box of fixed height. */

import type { Room } from "../live/room";
import { legalSteps } from "../live/steps";
import { _ } from "../texts";
import { data, element, money, shown, write } from "./page";

// A finger that taps twice must not confirm what it never read.
const DOUBLE_TAP_MS = 300;

export class StepPad {
  private armed: bigint | null = null;
  private armedAtMs = 0;
  private prices: bigint[] = [];
  private max: bigint | null = null;
  private best: bigint | null = null;
  private open = false;

  constructor(private readonly place: (minor: bigint) => void) {
    for (const button of buttons()) button.addEventListener("click", () => this.tap(Number(button.dataset.step)));
    element("confirm-no").addEventListener("click", () => this.back());
    element("confirm-yes").addEventListener("click", () => this.confirm());
    element("bid").addEventListener("keydown", (key) => key.key === "Escape" && this.back());
    element("bid-form").addEventListener("submit", (submit) => {
      submit.preventDefault();
      this.readTyped(true);
    });
    this.input.addEventListener("input", () => this.readTyped(false));
  }

  draw(room: Room): void {
    this.max = money.minor(room.maxPrice);
    this.best = money.minor(room.you.best);
    this.open = room.state === "open" && room.you.admitted !== false && data.may_act;
    this.prices = legalSteps(this.max, room.terms.rules?.step, money.exponent);
    this.drawOver(room);
    for (const button of buttons()) this.drawStep(button, this.prices[Number(button.dataset.step)]);
    element<HTMLButtonElement>("bid-go").disabled = !this.open;
    if (this.armed !== null && (!this.open || (this.max !== null && this.armed > this.max))) this.overtaken();
  }

  private drawStep(button: HTMLButtonElement, price: bigint | undefined): void {
    const [change, total] = button.querySelectorAll("span");
    if (!change || !total) return;
    const text = price === undefined ? "–" : money.plain(price);
    const down = price !== undefined && this.best !== null ? `−${money.plain(this.best - price)}` : "\u00a0";
    if (total.textContent !== text) total.textContent = text;
    if (change.textContent !== down) change.textContent = down;
    button.disabled = !this.open || price === undefined;
    button.setAttribute("aria-label", price === undefined ? _("No step") : _("Bid %(price)s", { price: money.full(price) }));
  }

  private drawOver(room: Room): void {
    const running = room.state === "open" || !room.known;
    const over = element("bid-over");
    over.hidden = running;
    if (!running) {
      const [title, text] = overTexts(room);
      write("over-title", title);
      write("over-text", text);
    }
    if (over.hidden === (element("bid").dataset.mode === "over")) this.show(running ? "idle" : "over");
  }

  private tap(index: number): void {
    const price = this.prices[index];
    if (price !== undefined) this.arm(price);
  }

  private arm(price: bigint): void {
    this.armed = price;
    this.armedAtMs = performance.now();
    write("confirm-price", money.full(price));
    write("confirm-change", changeText(price, this.best));
    this.show("confirm");
    element("confirm-yes").focus({ preventScroll: true });
  }

  private confirm(): void {
    if (this.armed === null || performance.now() - this.armedAtMs < DOUBLE_TAP_MS) return;
    const price = this.armed;
    this.input.value = "";
    this.read("", false);
    this.back();
    this.place(price);
  }

  private back(): void {
    if (this.armed === null) return;
    this.armed = null;
    this.show("idle");
    (this.input.value ? this.input : buttons()[0])?.focus({ preventScroll: true });
  }

  /** The limit moved below the price while the person was still reading. */
  private overtaken(): void {
    this.back();
    if (this.open) this.read(_("The limit moved to %(limit)s. Choose again.", { limit: money.full(this.max!) }), true);
  }

  private show(mode: "idle" | "confirm" | "over"): void {
    element("bid").dataset.mode = mode;
    element("bid-idle").hidden = mode !== "idle";
    element("bid-confirm").hidden = mode !== "confirm";
  }

  /** What was typed, understood aloud; `go` asks for the confirming tap. */
  private readTyped(go: boolean): void {
    const typed = money.typed(this.input.value);
    if (typed.kind === "empty") return this.read(go ? _("Type a price first.") : "", go);
    if (typed.kind === "ambiguous") {
      const [grouped, divided] = typed.readings.map((reading) => money.full(reading));
      return this.read(_("Do you mean %(first)s or %(second)s? Write the decimals.", { first: grouped!, second: divided! }), true);
    }
    if (typed.kind === "wrong") return this.read(wrongText(typed.code), true);
    if (this.max !== null && typed.minor > this.max) {
      return this.read(_("Too high: at most %(limit)s.", { limit: money.full(this.max) }), true);
    }
    this.read(changeText(typed.minor, this.best) || money.full(typed.minor), false);
    if (go && this.open) this.arm(typed.minor);
  }

  private read(text: string, bad: boolean): void {
    element("bid-reading").dataset.tone = bad ? "bad" : "none";
    write("bid-reading", text || "\u00a0");
  }

  private get input(): HTMLInputElement {
    return element<HTMLInputElement>("bid-price");
  }
}

function buttons(): HTMLButtonElement[] {
  return [...document.querySelectorAll<HTMLButtonElement>(".step")];
}

function changeText(price: bigint, best: bigint | null): string {
  if (best === null) return _("Your first bid");
  return _("%(change)s below your last bid", { change: money.full(best - price) });
}

function wrongText(code: string): string {
  if (code === "too_precise") return _("At most %(places)s decimal places.", { places: money.exponent });
  if (code === "not_positive") return _("A price is more than zero.");
  return code === "out_of_range" ? _("That is more than can be bid.") : _("Write digits, such as %(example)s.", { example: money.plain(123450n) });
}

function overTexts(room: Room): [string, string] {
  if (room.state === "scheduled") return [_("Not open yet"), _("The steps appear here the moment it opens.")];
  if (room.state === "paused") return [_("Paused"), _("Bids count again when it goes on.")];
  if (room.state === "cancelled") return [_("The auction was cancelled"), room.reason ?? ""];
  if (room.you.rank == null) return [_("The auction is closed"), _("You placed no bid.")];
  const best = shown(room.you.best);
  return room.you.rank === 1
    ? [_("You finished first with %(price)s", { price: best }), _("The buyer decides on the award and will contact you.")]
    : [_("You finished at rank %(rank)s with %(price)s", { rank: room.you.rank, price: best }), _("The buyer decides on the award.")];
}
