/* The buyer's side: who stands where, what it saves, and the hand on the auction. */

import { formatOf } from "../formats";
import { phaseNow } from "../live/formats";
import type { Room } from "../live/room";
import { _ } from "../texts";
import { ask } from "./ask";
import { send } from "./controls";
import type { Curve } from "./curve";
import { data, element, fit, money, shown, write } from "./page";
import { drawResult } from "./result";
import { droppedAt, nameOf } from "./standing";
import { Surrogate } from "./surrogate";
import { Withdrawal } from "./withdrawal";

const EXTEND_S = 120;

export class BuyerView {
  private curve: Curve | null = null;
  private readonly surrogate = new Surrogate();
  private readonly withdrawal = new Withdrawal();

  constructor() {
    for (const button of document.querySelectorAll<HTMLButtonElement>("[data-control]")) {
      button.addEventListener("click", () => void this.control(button.dataset.control ?? ""));
    }
    // The chart is a quarter of the code; only buyers load it, and the figures do not wait for it.
    void import("./curve").then(({ Curve }) => {
      this.curve = new Curve(element("curve"));
    });
  }

  draw(room: Room): void {
    const leader = room.standing.find((row) => row.rank === 1);
    fit("lead-price", shown(leader?.price));
    write("lead-name", leader ? nameOf(leader, room) : "\u00a0");
    this.drawSaving(money.minor(leader?.price));
    const bids = room.feed.filter((entry) => entry.kind === "bid").length;
    write("bid-count", String(Math.max(bids, room.standing.length)));
    write("bidder-count", biddersText(room));
    this.surrogate.draw(room);
    this.withdrawal.draw(room);
    drawResult(room);
    this.drawControls(room);
    element("curve-empty").hidden = room.standing.length > 0;
    this.curve?.draw(room);
    this.paintNames(room);
  }

  /** After the rows are drawn: the colour of each bidder's line beside the name. */
  private paintNames(room: Room): void {
    for (const row of room.standing) {
      const line = document.getElementById(`bidder-${row.alias}`);
      line?.style.setProperty("--line-color", this.curve?.colorOf(row.alias ?? "") ?? "transparent");
    }
  }

  private drawSaving(lead: bigint | null): void {
    const ceiling = money.minor(data.terms.ceiling);
    if (ceiling === null || lead === null || ceiling === 0n) return;
    const saved = ceiling - lead;
    const basisPoints = Number((saved * 10_000n) / ceiling);
    const percent = new Intl.NumberFormat(document.documentElement.lang, { style: "percent", minimumFractionDigits: 2 });
    fit("saving", percent.format(basisPoints / 10_000));
    fit("saving-money", money.full(saved));
  }

  private drawControls(room: Room): void {
    const live = room.state === "open" || room.state === "paused" || room.state === "scheduled";
    const allowed: Record<string, boolean> = {
      pause: room.state === "open",
      resume: room.state === "paused",
      extend: room.state === "open",
      message: live,
      cancel: live,
    };
    for (const button of document.querySelectorAll<HTMLButtonElement>("[data-control]")) {
      button.disabled = !data.may_act || !allowed[button.dataset.control ?? ""];
    }
  }

  private async control(name: string): Promise<void> {
    if (name === "message") {
      const text = await ask({ title: _("Message to all bidders"), text: _("Everyone reads it at once."), input: _("Message"), yes: _("Send") });
      if (text) await send("message", { text });
      return;
    }
    const question = QUESTIONS[name];
    const reason = question ? await ask({ ...question(), input: _("Reason") }) : null;
    if (reason !== null) await send(name, name === "extend" ? { seconds: EXTEND_S, reason } : { reason });
  }
}

/** Of a falling price it counts who is still in; else who has bid. */
function biddersText(room: Room): string {
  const out = Object.keys(droppedAt(room)).length;
  const known = Object.keys(data.names).length;
  const { stillIn } = formatOf(phaseNow(room));
  if (stillIn && room.state === "open") return stillIn(Math.max(known - out, 0), known);
  return _("%(count)s of %(known)s bidders", { count: room.standing.length, known: Math.max(known, room.standing.length) });
}

const QUESTIONS: Record<string, () => { title: string; text: string; yes: string }> = {
  pause: () => ({ title: _("Pause the auction?"), text: _("The clock stops for everyone. Bids do not count until it goes on."), yes: _("Pause") }),
  resume: () => ({ title: _("Go on?"), text: _("The clock runs on with the time that was left."), yes: _("Resume") }),
  extend: () => ({ title: _("Extend by 2 minutes?"), text: _("Everyone sees the new close at once."), yes: _("Extend") }),
  cancel: () => ({ title: _("Cancel the auction?"), text: _("This ends it for good, without a winner."), yes: _("Cancel the auction") }),
};
