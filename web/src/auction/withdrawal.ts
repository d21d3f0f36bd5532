/* Striking out a bid: the bidder is chosen first, then the act names bidder and price. Rows of the standing move,
   so nothing there can be pressed. */

import type { StandingRow } from "../live/messages";
import type { Room } from "../live/room";
import { _ } from "../texts";
import { send } from "./controls";
import { data, element, shown, write } from "./page";
import { nameOf } from "./standing";

export class Withdrawal {
  private rows: StandingRow[] = [];
  /** The very bid that was read; a newer one of the same bidder is not struck out in its place. */
  private chosen: StandingRow | null = null;

  constructor() {
    element("withdraw-open").addEventListener("click", () => this.open());
    element("withdraw-back").addEventListener("click", () => this.dialog.close());
    this.select.addEventListener("change", () => this.choose());
    element("withdraw-form").addEventListener("submit", (submit) => {
      submit.preventDefault();
      void this.enter();
    });
  }

  draw(room: Room): void {
    const running = room.state === "open" || room.state === "paused";
    const rows = room.standing.filter(({ alias, seq }) => alias && seq != null);
    element<HTMLButtonElement>("withdraw-open").disabled = !running || !data.may_act || rows.length === 0;
    // An open list stays as it was: a choice must not change under the finger.
    if (this.dialog.open) return;
    this.rows = rows;
    this.select.replaceChildren(new Option(_("Choose a bidder"), ""), ...rows.map((row) => new Option(`${nameOf(row, room)}: ${shown(row.price ?? row.evaluated)}`, row.alias ?? "")));
  }

  private open(): void {
    element<HTMLFormElement>("withdraw-form").reset();
    write("withdraw-error", "\u00a0");
    this.choose();
    this.dialog.showModal();
    this.select.focus();
  }

  private choose(): void {
    this.chosen = this.rows.find(({ alias }) => alias === this.select.value) ?? null;
    const words = this.select.selectedOptions[0]?.textContent ?? "";
    write("withdraw-yes", this.chosen ? _("Withdraw %(bid)s", { bid: words }) : _("Withdraw the bid"));
  }

  private async enter(): Promise<void> {
    const reason = element<HTMLInputElement>("withdraw-reason").value.trim();
    if (this.chosen === null) return write("withdraw-error", _("Choose whose bid is struck out."));
    if (!reason) return write("withdraw-error", _("Write the reason; everyone reads it."));
    const { seq, alias } = this.chosen;
    this.dialog.close();
    await send("withdraw_bid", { bid_seq: seq, bidder: alias, reason });
  }

  private get dialog(): HTMLDialogElement {
    return element<HTMLDialogElement>("withdraw");
  }

  private get select(): HTMLSelectElement {
    return element<HTMLSelectElement>("withdraw-bidder");
  }
}
