/* The signed receipts on this device, newest first, each one a file. */

import { instantMs } from "../live/clock";
import type { BidDrawer, Receipt } from "../live/pending";
import { _ } from "../texts";
import { clockTime } from "../times";
import { data, element, icon, make, shown, write } from "./page";

export function drawReceipts(drawer: BidDrawer): void {
  const receipts = drawer.receipts().toReversed();
  write("receipts-count", String(receipts.length));
  element("receipts-empty").hidden = receipts.length > 0;
  element("receipts").replaceChildren(...receipts.map(line));
  const all = element<HTMLButtonElement>("receipts-save");
  all.disabled = receipts.length === 0;
  all.onclick = () => save(`receipts-${data.auction_id}.json`, receipts.map((receipt) => receipt.receipt));
}

function line(receipt: Receipt): HTMLElement {
  const item = make("li");
  item.dataset.outcome = receipt.outcome;
  const accepted = receipt.outcome === "accepted";
  const text = make("span", "num");
  text.append(make("b", "", told(receipt)), " ", make("small", "", `${accepted ? _("accepted") : _("refused")} · ${clockTime(instantMs(receipt.ts))} · ${_("no. %(seq)s", { seq: receipt.seq })}`));
  const button = make("button", "btn");
  button.setAttribute("aria-label", _("Save receipt no. %(seq)s", { seq: receipt.seq }));
  button.append(icon("download"));
  button.addEventListener("click", () => save(`receipt-${receipt.seq}.json`, receipt.receipt));
  item.append(icon(accepted ? "check" : "cross"), text, button);
  return item;
}

function told({ type, price }: Receipt): string {
  if (type === "auto") return price === null ? _("Automatic bidding off") : _("Automatic to %(price)s", { price: shown(price) });
  return price === null ? _("Taken back") : shown(price);
}

function save(name: string, content: unknown): void {
  const url = URL.createObjectURL(new Blob([JSON.stringify(content, null, 1)], { type: "application/json" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}
