/* Naming a price: three legal steps one tap away, or a typed one; either way the new total is read before it counts. */

import { formatOf } from "../formats";
import { phaseNow } from "../live/formats";
import type { Room } from "../live/room";
import { legalSteps } from "../live/steps";
import { _ } from "../texts";
import type { AnswersForm } from "./answers";
import type { Pad } from "./pad";
import { element, fitInto, money, write } from "./page";

export class StepPad {
  private prices: bigint[] = [];
  private max: bigint | null = null;
  private best: bigint | null = null;
  private sealed = false;
  private open = false;
  private armed: bigint | null = null;

  constructor(
    private readonly pad: Pad,
    private readonly answers: AnswersForm,
    private readonly place: (minor: bigint) => void,
  ) {
    for (const button of buttons()) button.addEventListener("click", () => this.tap(Number(button.dataset.step)));
    element("bid-form").addEventListener("submit", (submit) => {
      submit.preventDefault();
      this.readTyped(true);
    });
    this.input.addEventListener("input", () => this.readTyped(false));
  }

  draw(room: Room, open: boolean): void {
    const phase = phaseNow(room);
    // With other answers the same price is worth something else; then only the server knows the limit.
    const limit = money.minor(room.maxPrice) ?? (room.you.best == null ? money.minor(room.terms.ceiling) : null);
    const [max, best] = [this.max, this.best];
    this.max = this.answers.changed ? null : limit;
    this.best = money.minor(room.you.best);
    this.sealed = formatOf(phase).isSealed;
    this.open = open;
    this.prices = legalSteps(limit, phase.step, money.exponent);
    for (const button of buttons()) this.drawStep(button, this.prices[Number(button.dataset.step)]);
    element<HTMLButtonElement>("bid-go").disabled = !open;
    this.input.placeholder = this.sealed ? _("Your price") : _("Another price");
    write("bid-go", this.sealed ? _("Seal") : _("Bid"));
    if (!this.pad.isArmed) this.armed = null;
    // A price may be typed before the first snapshot is here, and limits move while it is typed.
    if (this.input.value && (this.max !== max || this.best !== best)) this.readTyped(false);
    if (this.armed !== null && (!open || (this.max !== null && this.armed > this.max))) this.overtaken();
  }

  /** The price is the sum of lines typed elsewhere: no steps, and nothing to type here. */
  takeTotals(): void {
    this.input.readOnly = true;
    for (const button of buttons()) button.hidden = true;
  }

  /** The sum of the lines; null while one is missing. */
  total(price: bigint | null): void {
    this.input.value = price === null ? "" : money.plain(price);
    this.readTyped(false);
  }

  /** A price from elsewhere, to be read and confirmed like a typed one. */
  fill(price: bigint): void {
    if (this.input.readOnly) return this.say(money.full(price), false);
    this.input.value = money.plain(price);
    this.input.focus({ preventScroll: true });
    this.readTyped(false);
  }

  /** The same, read at once: one tap is left. */
  propose(price: bigint): void {
    this.fill(price);
    this.readTyped(true);
  }

  say(text: string, bad: boolean): void {
    element("bid-reading").dataset.tone = bad ? "bad" : "none";
    write("bid-reading", text || "\u00a0");
  }

  private drawStep(button: HTMLButtonElement, price: bigint | undefined): void {
    const [change, total, worth] = button.querySelectorAll("span");
    if (!change || !total || !worth) return;
    const down = price !== undefined && this.best !== null ? `−${money.plain(this.best - price)}` : "\u00a0";
    fitInto(total, price === undefined ? "–" : money.plain(price));
    if (change.textContent !== down) change.textContent = down;
    const evaluated = price === undefined ? null : this.answers.evaluated(price);
    const told = evaluated === null ? "\u00a0" : `≙ ${money.plain(evaluated)}`;
    if (worth.textContent !== told) worth.textContent = told;
    button.disabled = !this.open || price === undefined;
    const spoken = price === undefined ? _("No step") : _("Bid %(price)s", { price: money.full(price) });
    button.setAttribute("aria-label", evaluated === null ? spoken : `${spoken}, ${this.answers.told(price!)}`);
  }

  private tap(index: number): void {
    const price = this.prices[index];
    if (price !== undefined) this.arm(price);
  }

  private arm(price: bigint): void {
    if (!this.answers.complete(true)) return this.say(_("Answer the questions of the buyer first."), true);
    this.armed = price;
    const worth = this.answers.told(price);
    this.pad.arm({
      label: this.sealed ? _("Your sealed bid") : _("Your new total"),
      price: money.full(price),
      change: [changeText(price, this.best, this.sealed), worth].filter(Boolean).join(" · "),
      yes: this.sealed ? _("Seal this bid") : _("Place this bid"),
      done: () => {
        this.armed = null;
        this.input.value = "";
        this.say("", false);
        this.place(price);
      },
    });
  }

  /** The limit moved below the price while the person was still reading. */
  private overtaken(): void {
    this.armed = null;
    this.pad.back();
    if (this.open && this.max !== null) this.say(_("The limit moved to %(limit)s. Choose again.", { limit: money.full(this.max) }), true);
  }

  /** What was typed, understood aloud; `go` asks for the confirming tap. */
  private readTyped(go: boolean): void {
    const typed = money.typed(this.input.value);
    if (typed.kind === "empty") return this.say(go ? _("Type a price first.") : "", go);
    if (typed.kind === "ambiguous") {
      const [grouped, divided] = typed.readings.map((reading) => money.full(reading));
      return this.say(_("Do you mean %(first)s or %(second)s? Write the decimals.", { first: grouped!, second: divided! }), true);
    }
    if (typed.kind === "wrong") return this.say(wrongText(typed.code), true);
    if (this.max !== null && typed.minor > this.max) {
      return this.say(_("Too high: at most %(limit)s.", { limit: money.full(this.max) }), true);
    }
    const change = this.best === null ? money.full(typed.minor) : changeText(typed.minor, this.best, this.sealed);
    this.say([change, this.answers.told(typed.minor)].filter(Boolean).join(" · "), false);
    if (go && this.open) this.arm(typed.minor);
  }

  private get input(): HTMLInputElement {
    return element<HTMLInputElement>("bid-price");
  }
}

function buttons(): HTMLButtonElement[] {
  return [...document.querySelectorAll<HTMLButtonElement>(".step")];
}

function changeText(price: bigint, best: bigint | null, sealed: boolean): string {
  if (best === null) return sealed ? "" : _("Your first bid");
  if (sealed) return _("Replaces %(price)s", { price: money.full(best) });
  const [change, size] = [best - price, price > best ? price - best : best - price];
  if (change === 0n) return _("The same as your last bid");
  return change > 0n ? _("%(change)s below your last bid", { change: money.full(size) }) : _("%(change)s above your last bid", { change: money.full(size) });
}

export function wrongText(code: string): string {
  if (code === "too_precise") return _("At most %(places)s decimal places.", { places: money.exponent });
  if (code === "not_positive") return _("A price is more than zero.");
  return code === "out_of_range" ? _("That is more than can be bid.") : _("Write digits, such as %(example)s.", { example: money.plain(123450n) });
}
