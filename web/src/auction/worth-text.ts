/* Coefficient and evaluated price in words. */

import { readFraction } from "../live/worth";
import { _ } from "../texts";
import { money, shown } from "./page";

/** `÷ 20/17 (1.1765) → €42,500.00 evaluated`: price, coefficient and evaluated price stand together. */
export function worthText(coefficient: string, value: bigint | null): string {
  return _("÷ %(coefficient)s → %(price)s evaluated", { coefficient: decimal(coefficient), price: value === null ? shown(null) : money.full(value) });
}

export function decimal(coefficient: string): string {
  const fraction = readFraction(coefficient);
  if (!fraction || fraction.den === 1n) return coefficient;
  const places = new Intl.NumberFormat(document.documentElement.lang, { maximumFractionDigits: 4 });
  return `${coefficient} (${places.format(Number(fraction.num) / Number(fraction.den))})`;
}
