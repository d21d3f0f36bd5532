/* The answers that count beside the price: asked once, kept between bids, their worth shown with every price. */

import type { Scoring } from "../live/messages";
import type { Room } from "../live/room";
import { type Answers, type Worth, asked, evaluated, fractionText, readFraction, worthOf } from "../live/worth";
import { _ } from "../texts";
import { data, element, make, money, write } from "./page";
import { decimal, worthText } from "./worth-text";

const KEPT = `auction:${data.auction_id}:${data.user_id}:answers`;

export class AnswersForm {
  private readonly scoring: Scoring | undefined = data.terms.rules?.scoring;
  private given: Answers = {};
  private sent: Answers = {};
  private worth: Worth | null = null;
  private ownTerms = false;
  onChange: () => void = () => {};

  constructor() {
    this.sent = kept();
    this.given = { ...this.sent };
    element("answers-panel").hidden = !this.isAsked && !this.isScored;
    if (!this.isScored) return;
    element("answers").replaceChildren(...this.fields());
    this.read();
  }

  /** Whether more than the price counts. */
  get isScored(): boolean {
    return (this.scoring?.kind ?? "price") !== "price";
  }

  /** Whether the next bid brings other answers than the last one. */
  get changed(): boolean {
    return asked(this.scoring).some((id) => this.given[id] !== this.sent[id]);
  }

  /** What goes with the next bid; nothing where nothing is asked. */
  get attributes(): Answers | undefined {
    return this.isAsked ? { ...this.given } : undefined;
  }

  /** Whether all is answered; `point` shows the first gap. */
  complete(point: boolean): boolean {
    const missing = asked(this.scoring).find((id) => !this.given[id]);
    if (missing !== undefined && point) element(`answer-${missing}`).focus();
    return missing === undefined;
  }

  /** These answers stand now. */
  accepted(attributes: Answers | undefined): void {
    if (!attributes) return;
    this.sent = { ...attributes };
    localStorage.setItem(KEPT, JSON.stringify(this.sent));
  }

  draw(room: Room): void {
    if (!this.isScored) return;
    this.calibrate(room);
    const [price, worth] = [money.minor(room.you.best), readFraction(room.you.coefficient)];
    element("own-worth").hidden = price === null || worth === null;
    if (worth) write("own-worth", worthText(fractionText(worth), money.minor(room.you.evaluated)));
    write("answers-worth", this.worth ? this.worthNow() : this.unknown());
  }

  /** What `price` would be worth with the answers given here; null where only the server knows. */
  evaluated(price: bigint): bigint | null {
    return this.isScored && this.worth ? evaluated(this.worth, price) : null;
  }

  /** The same in words, or nothing. */
  told(price: bigint): string {
    const value = this.evaluated(price);
    return value === null ? "" : _("evaluated %(price)s", { price: money.full(value) });
  }

  private get isAsked(): boolean {
    return asked(this.scoring).length > 0;
  }

  /**
   * A bonus or a rating is known only to the server. The own last bid tells: where its evaluated price is not
   * what the formula says, this page promises none.
   */
  private calibrate(room: Room): void {
    const { best, coefficient, evaluated: stands } = room.you;
    const [price, known] = [money.minor(best), readFraction(coefficient)];
    const formula = worthOf(this.scoring, this.given, money.exponent);
    if (price === null || known === null || this.changed) {
      this.worth = this.ownTerms ? null : formula;
      return;
    }
    const guess = formula ?? { coefficient: known, costs: 0n };
    this.ownTerms = evaluated(guess, price) !== money.minor(stands);
    this.worth = this.ownTerms ? null : guess;
  }

  private worthNow(): string {
    return _("With these answers a price is divided by %(coefficient)s.", { coefficient: decimal(fractionText(this.worth!.coefficient)) }) + costsText(this.worth!.costs);
  }

  private unknown(): string {
    return this.complete(false) ? _("What your price is worth is known with your first bid.") : _("Answer all to bid.");
  }

  private fields(): HTMLElement[] {
    const features = this.scoring?.features ?? [];
    const chosen = features.filter((feature) => feature.source !== "rating").map((feature) => {
      const select = make("select", "form-select") as HTMLSelectElement;
      select.append(new Option(_("Choose"), ""));
      for (const option of feature.options ?? []) select.append(new Option(`${option.title || option.id} (${percentText(option.value)})`, option.id));
      return this.field(feature.id, feature.title, select);
    });
    const rated = features.filter((feature) => feature.source === "rating").map((feature) => make("p", "muted", _("%(title)s counts for up to %(share)s; the buyer knows yours.", { title: feature.title || _("The rating"), share: percentText(feature.max) })));
    const costs = (this.scoring?.costs ?? []).map((cost) => {
      const input = make("input", "form-control") as HTMLInputElement;
      Object.assign(input, { inputMode: "decimal", autocomplete: "off", maxLength: 32 });
      return this.field(cost.id, _("%(title)s, %(currency)s", { title: cost.title || cost.id, currency: data.currency }), input);
    });
    return [...chosen, ...costs, ...rated];
  }

  private field(id: string, title: string | undefined, control: HTMLSelectElement | HTMLInputElement): HTMLElement {
    const box = make("div", "field");
    const label = make("label", "form-label", title || id) as HTMLLabelElement;
    const error = make("p", "field-error");
    control.id = label.htmlFor = `answer-${id}`;
    error.id = `answer-${id}-error`;
    error.hidden = true;
    control.setAttribute("aria-describedby", error.id);
    control.dataset.answer = id;
    control.disabled = !data.may_act;
    const before = this.given[id];
    if (before !== undefined) control.value = control instanceof HTMLSelectElement ? before : money.plain(money.minor(before) ?? 0n);
    control.addEventListener(control instanceof HTMLSelectElement ? "change" : "input", () => {
      this.read();
      this.onChange();
    });
    box.append(label, control, error);
    return box;
  }

  private read(): void {
    this.given = {};
    for (const control of element("answers").querySelectorAll<HTMLInputElement | HTMLSelectElement>("[data-answer]")) {
      const value = control instanceof HTMLSelectElement ? control.value : amount(control);
      if (value) this.given[control.dataset.answer!] = value;
    }
  }
}

/** A cost as decimal text of the wire; a wrong one is said at its field. Zero is an answer. */
function amount(input: HTMLInputElement): string {
  const typed = money.typed(input.value);
  const zero = /^0+([.,]0*)?$/.test(input.value.trim());
  const wrong = !zero && typed.kind !== "amount" && typed.kind !== "empty";
  input.setAttribute("aria-invalid", String(wrong));
  const error = element(`${input.id}-error`);
  error.hidden = !wrong;
  error.textContent = wrong ? _("Write an amount such as %(example)s.", { example: money.plain(12000n) }) : "";
  if (zero) return money.wire(0n);
  return typed.kind === "amount" ? money.wire(typed.minor) : "";
}

function kept(): Answers {
  try {
    const found: unknown = JSON.parse(localStorage.getItem(KEPT) ?? "{}");
    return found !== null && typeof found === "object" ? (found as Answers) : {};
  } catch {
    return {};
  }
}

function costsText(costs: bigint): string {
  return costs === 0n ? "" : ` ${_("Then %(costs)s of costs are added.", { costs: money.full(costs) })}`;
}

/** A value of the rules, `"0.15"`, as percent. */
function percentText(share: string): string {
  return new Intl.NumberFormat(document.documentElement.lang, { style: "percent", maximumFractionDigits: 2 }).format(Number(share));
}
