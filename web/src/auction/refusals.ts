/* Why a bid was refused, in plain words with both numbers. */

import type { Ack } from "../live/messages";
import { _ } from "../texts";
import { clockTime } from "../times";
import { instantMs } from "../live/clock";
import { data, money, shown } from "./page";

type Sentence = (price: string, ack: Ack) => string;

const limitOf = (ack: Ack) => shown(ack.limit ?? ack.next?.max_price);

const SENTENCES: Record<string, Sentence> = {
  step_too_small: (price, ack) => _("%(price)s is too high. Bid at most %(limit)s.", { price, limit: limitOf(ack) }),
  not_below_lead: (price, ack) => _("%(price)s does not beat the lead. Bid at most %(limit)s.", { price, limit: limitOf(ack) }),
  above_ceiling: (price) => _("%(price)s is above the ceiling of %(limit)s.", { price, limit: shown(data.terms.ceiling) }),
  tie_forbidden: (price, ack) => _("%(price)s is already taken. Bid lower, at most %(limit)s.", { price, limit: limitOf(ack) }),
  late: (_price, ack) => _("Too late: your bid arrived at %(time)s, after the close.", { time: clockTime(instantMs(ack.ts)) }),
  not_open: () => _("The auction is not open yet."),
  paused: () => _("The auction is paused. Your bid did not count; bid again when it goes on."),
  not_admitted: () => _("You do not take part in this auction."),
  confirm_required: (price) => _("%(price)s is far below the others and waits for your confirmation.", { price }),
  cid_reused: () => _("This bid was already sent with another price. Nothing was changed."),
  malformed: (price) => _("%(price)s is not an amount.", { price }),
  out_of_range: (price) => _("%(price)s is outside of what can be bid.", { price }),
  not_your_turn: (price) => _("It is not your turn; %(price)s did not count.", { price }),
  too_many: () => _("Too many bids in a short time. Wait a moment."),
};

/** The server's own sentence is kept where this page knows none, or knows fewer figures. */
export function refusal(ack: Ack, price: string): string {
  if (ack.code === "stale_step") return _("Too late for this step; nothing was accepted.") + (ack.detail ? ` ${ack.detail}` : "");
  const minor = money.minor(price);
  const told = minor === null ? price : money.full(minor);
  const own = SENTENCES[ack.code ?? ""];
  if (ack.code === "late" && ack.detail) return ack.detail;
  const text = own?.(told, ack);
  return text && !text.includes("–") ? text : (ack.detail ?? text ?? _("The bid was refused."));
}
