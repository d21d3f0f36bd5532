/* The standing table: rows are kept and moved, never redrawn, so the eye can follow who passed whom. */

import type { StandingRow } from "../live/messages";
import type { Room } from "../live/room";
import { _ } from "../texts";
import { data, element, icon, make, money, shown } from "./page";

const calm = window.matchMedia("(prefers-reduced-motion: reduce)");

export function nameOf(row: StandingRow, room: Room): string {
  if (row.alias && row.alias === room.you.alias) return _("You");
  return row.organisation ?? row.alias ?? _("Best price");
}

/** Draws the rows; for buyers `withdraw` is called with the row whose bid is to be struck out. */
export function drawStanding(room: Room, withdraw?: (row: StandingRow) => void): void {
  const body = element("standing");
  const before = new Map([...body.children].map((row) => [row.id, (row as HTMLElement).offsetTop]));
  const kept = new Set<string>();
  const lead = room.standing.find((row) => row.rank === 1)?.price ?? null;
  room.standing.forEach((row, index) => {
    const id = `bidder-${row.alias ?? `place-${index}`}`;
    kept.add(id);
    const line = document.getElementById(id) ?? newLine(id, row, withdraw);
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
  if (data.view === "buyer") return _("Nobody has bid yet.");
  const shows = room.terms.rules?.visibility;
  if (shows !== "all" && shows !== "rank_and_lead") return _("Prices of others stay hidden here.");
  return room.you.best == null ? _("Shown after your own first bid.") : _("Nobody has bid yet.");
}

function newLine(id: string, row: StandingRow, withdraw?: (row: StandingRow) => void): HTMLElement {
  const line = make("tr");
  line.id = id;
  line.append(make("td", "place"), make("td", "who"), make("td", "right price"));
  if (data.view === "buyer") line.append(make("td", "right gap"));
  if (!withdraw) return line;
  const button = make("button", "btn btn-sm");
  button.setAttribute("type", "button");
  button.setAttribute("aria-label", _("Withdraw the bid of %(name)s", { name: row.organisation ?? row.alias ?? "" }));
  button.append(icon("cross"));
  button.addEventListener("click", () => current.has(line) && withdraw(current.get(line)!));
  const cell = make("td", "right");
  cell.append(button);
  line.append(cell);
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
  put(line, "gap", gap(row.price, lead));
  const who = line.querySelector(".who")!;
  const low = (row.alias ? room.low[row.alias] : undefined)?.length ? _("unusually low") : "";
  if (who.firstChild?.textContent !== name || (who.querySelector(".tag-low") !== null) !== (low !== "")) {
    who.replaceChildren(name, ...(low ? [" ", make("span", "tag-low", low)] : []));
  }
  if (former && former.price !== row.price) {
    line.classList.remove("fresh");
    void line.offsetWidth;
    line.classList.add("fresh");
  }
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
