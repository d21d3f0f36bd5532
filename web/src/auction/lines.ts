/* The lines of a lot: every bid names the total of each, and their sum is the price. */

import type { Room } from "../live/room";
import { _ } from "../texts";
import { data, element, make, money, write } from "./page";

export class LinesForm {
  private readonly asked = data.terms.rules?.lines ?? [];
  private filled = false;

  /** `onTotal` gets the sum while every line is named, else null. */
  constructor(private readonly onTotal: (minor: bigint | null) => void) {
    element("lines-panel").hidden = !this.isAsked;
    element("lines").replaceChildren(...this.asked.map((line) => this.field(line.id, line.title || line.id, line.quantity)));
  }

  get isAsked(): boolean {
    return this.asked.length > 0;
  }

  /** What goes with the next bid; nothing where nothing is asked. */
  get lines(): Record<string, string> | undefined {
    if (!this.isAsked) return undefined;
    return Object.fromEntries(this.asked.map((line) => [line.id, money.wire(this.amount(line.id) ?? 0n)]));
  }

  /** The lines of the own last bid, where nothing was typed yet. */
  draw(room: Room): void {
    const last = room.you.lines;
    if (this.filled || !last) return;
    this.filled = true;
    for (const line of this.asked) if (!this.input(line.id).value) this.input(line.id).value = money.plain(money.minor(last[line.id]) ?? 0n);
    this.read();
  }

  private field(id: string, title: string, quantity: string | null | undefined): HTMLElement {
    const box = make("div", "field");
    const label = make("label", "form-label", quantity ? `${title} (${quantity})` : title) as HTMLLabelElement;
    const input = make("input", "form-control") as HTMLInputElement;
    Object.assign(input, { inputMode: "decimal", autocomplete: "off", maxLength: 32, id: `line-${id}`, disabled: !data.may_act });
    input.setAttribute("aria-describedby", "lines-total");
    label.htmlFor = input.id;
    input.addEventListener("input", () => {
      this.filled = true;
      this.read();
    });
    box.append(label, input);
    return box;
  }

  private read(): void {
    const amounts = this.asked.map((line) => this.amount(line.id));
    const missing = amounts.filter((amount) => amount === null).length;
    const total = missing ? null : amounts.reduce<bigint>((sum, amount) => sum + amount!, 0n);
    write("lines-total", total === null ? _("Name every line; zero is an answer.") : _("Together %(price)s", { price: money.full(total) }));
    this.onTotal(total);
  }

  /** Zero is a total as any other; null where nothing usable is typed. */
  private amount(id: string): bigint | null {
    const { value } = this.input(id);
    if (/^\s*0+([.,]0*)?\s*$/.test(value)) return 0n;
    const typed = money.typed(value);
    this.input(id).setAttribute("aria-invalid", String(typed.kind === "wrong" || typed.kind === "ambiguous"));
    return typed.kind === "amount" ? typed.minor : null;
  }

  private input(id: string): HTMLInputElement {
    return element<HTMLInputElement>(`line-${id}`);
  }
}
