/* The standing table: rows are kept and moved, never redrawn, so the eye can follow who passed whom. */

import { formatOf } from "../formats";
import type { Words } from "../formats/format";
import { phaseNow } from "../live/formats";
import type { StandingRow } from "../live/messages";
import type { Room } from "../live/room";
import { _ } from "../texts";
import { data, element, make, money, shown } from "./page";
import { worthText } from "./worth-text";

const calm = window.matchMedia("(prefers-reduced-motion: reduce)");

export function nameOf(row: StandingRow, room: Room): string {
  if (row.alias && row.alias === room.you.alias) return _("You");
  return row.organisation ?? (row.alias ? (data.names[row.alias] ?? row.alias) : _("Best price"));
}

/** The organisation where this reader may know it, else the pseudonym. */
export function nameOfAlias(alias: string, room: Room): string {
  return nameOf(room.standing.find((row) => row.alias === alias) ?? { rank: null, alias }, room);
}

/** Prices and names as this page writes them. */
export function wordsFor(room: Room): Words {
  return { shown, nameOf: (alias) => nameOfAlias(alias, room) };
}

export function drawStanding(room: Room): void {
  const body = element("standing");
  const before = new Map([...body.children].map((row) => [row.id, (row as HTMLElement).offsetTop]));
  const kept = new Set<string>();
  const first = room.standing.find((row) => row.rank === 1);
  const lead = first?.evaluated ?? first?.price ?? null;
  room.standing.forEach((row, index) => {
    const id = `bidder-${row.alias ?? `place-${index}`}`;
    kept.add(id);
    const line = document.getElementById(id) ?? newLine(id);
    fill(line, row, room, lead);
    if (body.children[index] !== line) body.insertBefore(line, body.children[index] ?? null);
  });
  for (const line of [...body.children]) if (!kept.has(line.id)) line.remove();
  const empty = element("standing-empty");
  empty.hidden = room.standing.length > 0;
  empty.textContent = emptyText(room);
  glide(body, before);
}

/** Why there is no row: nothing there, nothing for this reader, or nothing yet. */
function emptyText(room: Room): string {
  if (data.view === "buyer") return formatOf(phaseNow(room)).isSealed && room.state === "open" ? _("Bids are sealed. Nobody, you included, sees them before the opening.") : _("Nobody has bid yet.");
  const shows = room.terms.rules?.visibility;
  if (formatOf(phaseNow(room)).isSealed && room.state === "open") return _("Nobody sees a bid before the opening.");
  if (shows !== "all" && shows !== "rank_and_lead") return _("Prices of others stay hidden here.");
  return room.you.best == null ? _("Shown after your own first bid.") : _("Nobody has bid yet.");
}

function newLine(id: string): HTMLElement {
  const line = make("tr");
  line.id = id;
  const figure = make("td", "right");
  figure.append(make("span", "price"), make("small", "worth"));
  line.append(make("td", "place"), make("td", "who"), figure);
  if (data.view === "buyer") line.append(make("td", "right gap"));
  return line;
}

const current = new WeakMap<HTMLElement, StandingRow>();

function fill(line: HTMLElement, row: StandingRow, room: Room, lead: string | null): void {
  const former = current.get(line);
  current.set(line, row);
  const name = nameOf(row, room);
  line.classList.toggle("mine", name === _("You"));
  put(line, "place", row.rank == null ? "–" : String(row.rank));
  put(line, "price", shown(row.price ?? row.evaluated));
  put(line, "worth", row.price != null && row.coefficient && row.coefficient !== "1" ? worthText(row.coefficient, money.minor(row.evaluated)) : "");
  put(line, "gap", gap(row.evaluated ?? row.price, lead));
  const who = line.querySelector(".who")!;
  const tags = tagsOf(row, room);
  const told = `${name}${tags.map(([, text]) => ` ${text}`).join("")}`;
  if (who.textContent !== told) who.replaceChildren(name, ...tags.flatMap(([kind, text]) => [" ", make("span", kind, text)]));
  if (former && former.price !== row.price) {
    line.classList.remove("fresh");
    void line.offsetWidth;
    line.classList.add("fresh");
  }
}

type Tag = ["tag-low" | "tag-out" | "tag-turn", string];

/** What a buyer should notice about a bidder. */
function tagsOf(row: StandingRow, room: Room): Tag[] {
  const { alias } = row;
  if (data.view !== "buyer" || !alias) return [];
  const tags: Tag[] = (row.abnormally_low ?? []).map((reason) => ["tag-low", lowText(reason)]);
  if (room.state === "open" && room.stage.alias === alias) tags.push(["tag-turn", _("speaks now")]);
  const out = droppedAt(room)[alias];
  if (out !== undefined) tags.push(["tag-out", _("out at step %(step)s", { step: out + 1 })]);
  return tags;
}

/** The step at which a bidder of a falling price dropped out, by alias. */
export function droppedAt(room: Room): Record<string, number> {
  const steps: Record<string, number> = {};
  for (const { kind, event } of room.feed) if (kind === "dropped") steps[String(event.alias)] = Number(event.step ?? 0);
  return steps;
}

function lowText(reason: string): string {
  if (reason === "below_mean_of_initial") return _("unusually low: 40 % below the others’ first bids");
  return reason === "below_next_final" ? _("unusually low: 30 % below the next bid") : _("unusually low");
}

function put(line: HTMLElement, cell: string, text: string): void {
  const target = line.querySelector(`.${cell}`);
  if (target && target.textContent !== text) target.textContent = text;
}

function gap(price: string | null | undefined, lead: string | null): string {
  const [own, best] = [money.minor(price), money.minor(lead)];
  if (data.view !== "buyer" || own === null || best === null || own === best) return "";
  return `+${money.plain(own - best)}`;
}

/** Moves each row from where it was to where it is (FLIP), at most once a draw. */
function glide(body: HTMLElement, before: Map<string, number>): void {
  if (calm.matches) return;
  for (const row of body.children as HTMLCollectionOf<HTMLElement>) {
    const from = before.get(row.id);
    if (from === undefined || from === row.offsetTop) continue;
    row.animate([{ transform: `translateY(${from - row.offsetTop}px)` }, { transform: "none" }], { duration: 260, easing: "ease-out" });
  }
}
