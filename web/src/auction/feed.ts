/* What happened, newest first, one plain sentence each. */

import { instantMs } from "../live/clock";
import type { EventFrame } from "../live/messages";
import type { FeedEntry, Room } from "../live/room";
import { _ } from "../texts";
import { clockTime } from "../times";
import { element, make, shown } from "./page";
import { nameOfAlias } from "./standing";

const SHOWN_MAX = 80;

export function drawFeed(room: Room): void {
  const list = element("feed");
  const entries = room.feed.filter((entry) => sentence(entry.event, room) !== null).slice(0, SHOWN_MAX);
  entries.forEach((entry, index) => {
    const there = list.children[index];
    if (there?.id !== lineId(entry)) list.insertBefore(line(entry, room), there ?? null);
  });
  while (list.children.length > entries.length) list.lastElementChild?.remove();
  element("feed-empty").hidden = list.children.length > 0;
}

function lineId(entry: FeedEntry): string {
  return `event-${entry.id}`;
}

function line(entry: FeedEntry, room: Room): HTMLElement {
  const item = make("li");
  item.id = lineId(entry);
  item.dataset.kind = entry.kind;
  item.append(make("small", "", clockTime(instantMs(entry.ts))), make("span", "", sentence(entry.event, room) ?? ""));
  return item;
}

/** The event in words, or null when it says nothing to a reader. */
export function sentence(event: EventFrame, room: Room): string | null {
  const reason = typeof event.reason === "string" && event.reason ? ` ${event.reason}` : "";
  const close = typeof event.close_at === "string" ? clockTime(instantMs(event.close_at)) : "";
  const start = typeof event.starts_at === "string" ? clockTime(instantMs(event.starts_at)) : "";
  switch (event.kind) {
    case "opened":
      return _("The auction is open. It closes at %(time)s.", { time: close });
    case "bid":
      return bidSentence(event, room);
    case "withdrawn":
      return _("A bid was withdrawn by the buyer.") + reason;
    case "extended":
      return _("Extended. It now closes at %(time)s.", { time: close }) + reason;
    case "rescheduled":
      return _("The start moved. The auction now opens at %(time)s.", { time: start }) + reason;
    case "dropped":
      return _("%(name)s dropped out.", { name: nameOfAlias(String(event.alias ?? ""), room) });
    case "paused":
      return (event.outage ? _("Paused by a technical fault. Nothing is lost.") : _("Paused by the buyer.")) + reason;
    case "resumed":
      return _("It goes on and closes at %(time)s.", { time: close }) + reason;
    case "message":
      return _("The buyer says: %(text)s", { text: String(event.text ?? "") });
    case "admitted":
      return event.alias === room.you.alias ? _("You take part.") : _("%(name)s takes part.", { name: nameOfAlias(String(event.alias ?? ""), room) });
    case "excluded":
      return _("A bidder was excluded.") + reason;
    case "closed":
      return _("The auction is closed.");
    case "cancelled":
      return _("The auction was cancelled.") + reason;
    default:
      return null;
  }
}

function bidSentence(event: EventFrame, room: Room): string {
  const alias = String(event.alias ?? "");
  const name = alias ? nameOfAlias(alias, room) : "";
  const price = shown(event.price ?? event.evaluated);
  if (name === "") return _("The best price is now %(price)s.", { price });
  return event.rank == null ? _("%(name)s: %(price)s", { name, price }) : _("%(name)s: %(price)s, rank %(rank)s", { name, price, rank: Number(event.rank) });
}
