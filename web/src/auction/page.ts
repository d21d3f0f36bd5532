/* The page's own data and elements; a missing element is a broken build and fails loudly, at once. */

import type { Terms } from "../live/messages";
import { MoneyFormat } from "../live/money";

export interface PageData {
  auction_id: string;
  user_id: string;
  view: "supplier" | "buyer";
  /** Observers look on: no bids, no commands. */
  may_act: boolean;
  currency: string;
  tender_url: string;
  starts_at: string | null;
  /** For buyers: the organisations by alias. */
  names: Record<string, string>;
  terms: Terms;
}

export const data = JSON.parse(element("auction-data").textContent ?? "") as PageData;
export const locale = document.documentElement.lang;
export const money = new MoneyFormat(data.currency, locale);

export function element<T extends HTMLElement = HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (!found) throw new Error(`#${id} is missing`);
  return found as T;
}

/** Writes only when the text differs, so that screen readers and layout stay quiet. */
export function write(id: string, text: string): void {
  const target = element(id);
  if (target.textContent !== text) target.textContent = text;
}

/** A figure whose type shrinks before it would be cut off (`.fit` in the styles). */
export function fit(id: string, text: string): void {
  fitInto(element(id), text);
}

export function fitInto(target: HTMLElement, text: string): void {
  if (target.textContent === text) return;
  target.textContent = text;
  target.style.setProperty("--chars", String(Math.max(text.length, 1)));
  shrink(target);
}

/** Corrects the size that the styles guess from the number of characters: fonts differ in width. */
function shrink(target: HTMLElement): void {
  target.style.removeProperty("--fit-share");
  const room = target.clientWidth;
  if (room && target.scrollWidth > room) target.style.setProperty("--fit-share", String(room / (target.scrollWidth + 1)));
}

function shrinkAll(): void {
  for (const each of document.querySelectorAll<HTMLElement>(".fit")) shrink(each);
}

void document.fonts.ready.then(shrinkAll);
addEventListener("resize", shrinkAll);

/** A decimal text of the wire as shown money, or a dash. */
export function shown(amount: unknown): string {
  const minor = money.minor(amount);
  return minor === null ? "–" : money.full(minor);
}

export function make(tag: string, className = "", text = ""): HTMLElement {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}

/** A copy of an icon that the server drew somewhere on the page. */
export function icon(name: "check" | "cross" | "download"): SVGElement {
  const paths = { check: "M5 12.5l4.5 4.5L19 7.5", cross: "M6 6l12 12M18 6L6 18", download: "M12 4v11M7.5 10.5L12 15l4.5-4.5M5 19.5h14" };
  const drawing = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  drawing.setAttribute("viewBox", "0 0 24 24");
  drawing.setAttribute("class", "icon");
  drawing.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", paths[name]);
  drawing.append(path);
  return drawing;
}

const ANNOUNCED_TOGETHER_MS = 1_500;
let announcedAtMs = -Infinity;

/** Spoken once by a screen reader, politely. A region holds one text: what comes close together is said together. */
export function announce(sentence: string): void {
  const region = element("announcer");
  const before = performance.now() - announcedAtMs < ANNOUNCED_TOGETHER_MS ? `${region.textContent} ` : "";
  announcedAtMs = performance.now();
  // The same sentence twice is only spoken when the text really changes.
  region.textContent = region.textContent === before + sentence ? `${sentence}\u00a0` : before + sentence;
}
