/* A bid that the buyer enters for a bidder on written request; the log and the receipt say so. */

import { isClock } from "../formats";
import { phaseNow } from "../live/formats";
import type { Room } from "../live/room";
import { _ } from "../texts";
import { send } from "./controls";
import { ask } from "./ask";
import { data, element, money, write } from "./page";
import { nameOfAlias } from "./standing";
import { wrongText } from "./step-pad";
import { newCid } from "./world";

export class Surrogate {
  private aliases = "";

  constructor() {
    element("surrogate-open").addEventListener("click", () => this.open());
    element("surrogate-back").addEventListener("click", () => this.dialog.close());
    element("surrogate-form").addEventListener("submit", (submit) => {
      submit.preventDefault();
      void this.enter();
    });
  }

  draw(room: Room): void {
    const clock = isClock(phaseNow(room));
    element<HTMLButtonElement>("surrogate-open").disabled = room.state !== "open" || !data.may_act;
    element("surrogate-open").hidden = clock;
    const admitted = room.feed.filter(({ kind }) => kind === "admitted").map(({ event }) => String(event.alias));
    const standing = room.standing.flatMap((row) => (row.alias ? [row.alias] : []));
    const aliases = [...new Set([...Object.keys(data.names), ...standing, ...admitted])];
    if (aliases.join() === this.aliases) return;
    this.aliases = aliases.join();
    const select = element<HTMLSelectElement>("surrogate-bidder");
    const chosen = select.value;
    select.replaceChildren(...aliases.map((alias) => new Option(nameOfAlias(alias, room), alias)));
    if (aliases.includes(chosen)) select.value = chosen;
  }

  private open(): void {
    write("surrogate-error", "\u00a0");
    this.dialog.showModal();
    element("surrogate-bidder").focus();
  }

  private async enter(): Promise<void> {
    const typed = money.typed(element<HTMLInputElement>("surrogate-price").value);
    const request = element<HTMLInputElement>("surrogate-request").value.trim();
    if (typed.kind !== "amount") return write("surrogate-error", typed.kind === "wrong" ? wrongText(typed.code) : _("Write the price with its decimals."));
    if (!request) return write("surrogate-error", _("Write what the bidder asked for, and how."));
    const bidder = element<HTMLSelectElement>("surrogate-bidder").value;
    const body = { cid: newCid(), price: money.wire(typed.minor), bidder, surrogate: request, attributes: this.answers(), lines: this.lines() };
    this.dialog.close();
    const refused = await send("bids", body);
    if (refused?.code === "confirm_required" && refused.token) await this.confirm(body, money.full(typed.minor), refused.detail, refused.token);
    if (refused === null) element<HTMLFormElement>("surrogate-form").reset();
  }

  private async confirm(body: object, price: string, detail: string, token: string): Promise<void> {
    const answer = await ask({ title: _("Is this price right?"), text: detail, price, yes: _("Yes, enter this price") });
    if (answer !== null) await send("bids", { ...body, cid: newCid(), confirm: token });
  }

  /** Only what was answered; the bidder's former answers hold for the rest. */
  private answers(): Record<string, string> {
    const given: Record<string, string> = {};
    for (const field of document.querySelectorAll<HTMLInputElement | HTMLSelectElement>("[data-surrogate-answer]")) {
      const typed = field instanceof HTMLInputElement ? money.typed(field.value) : null;
      const value = typed === null ? field.value : typed.kind === "amount" ? money.wire(typed.minor) : "";
      if (value) given[field.dataset.surrogateAnswer!] = value;
    }
    return given;
  }

  /** Every line of the lot; whether they add up is for the rules to say. */
  private lines(): Record<string, string> {
    const given: Record<string, string> = {};
    for (const field of document.querySelectorAll<HTMLInputElement>("[data-surrogate-line]")) {
      const typed = money.typed(field.value);
      given[field.dataset.surrogateLine!] = money.wire(typed.kind === "amount" ? typed.minor : 0n);
    }
    return given;
  }

  private get dialog(): HTMLDialogElement {
    return element<HTMLDialogElement>("surrogate");
  }
}
