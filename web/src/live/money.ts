/* Money as BigInt minor units; texts in, texts out, never a float. Mirrors marketplace/kernel/money.py. */

const EXPONENT_0 = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(" ");
const EXPONENT_3 = "BHD IQD JOD KWD LYD OMR TND".split(" ");
const MINOR_MAX = 2n ** 53n - 1n;
const WIRE = /^(-?)(\d{1,18})(?:\.(\d{1,6}))?$/;

export type Typed =
  | { kind: "amount"; minor: bigint }
  | { kind: "empty" }
  | { kind: "ambiguous"; readings: [bigint, bigint] }
  | { kind: "wrong"; code: "malformed" | "too_precise" | "out_of_range" | "not_positive" };

/** Decimal places of the currency's minor unit (ISO 4217). */
export function exponentOf(currency: string): number {
  if (EXPONENT_0.includes(currency)) return 0;
  return EXPONENT_3.includes(currency) ? 3 : 2;
}

/** A decimal text of the wire, `"1234.5"`, as minor units; null when it is none. */
export function parseMinor(text: string, exponent: number): bigint | null {
  const match = WIRE.exec(text);
  if (!match) return null;
  const fraction = (match[3] ?? "").replace(/0+$/, "");
  if (fraction.length > exponent) return null;
  const minor = BigInt(match[2]! + fraction.padEnd(exponent, "0"));
  return match[1] ? -minor : minor;
}

/** Minor units as a decimal text of the wire: the inverse of `parseMinor`. */
export function formatMinor(minor: bigint, exponent: number): string {
  if (exponent === 0) return minor.toString();
  const digits = (minor < 0n ? -minor : minor).toString().padStart(exponent + 1, "0");
  return `${minor < 0n ? "-" : ""}${digits.slice(0, -exponent)}.${digits.slice(-exponent)}`;
}

/** The wire gives money as a decimal text or as `{amount, currency}`; both become minor units. */
export function minorOf(value: unknown, exponent: number): bigint | null {
  if (typeof value === "string") return parseMinor(value, exponent);
  if (value !== null && typeof value === "object" && "amount" in value) return minorOf(value.amount, exponent);
  return null;
}

/** How money is shown in one currency and locale. Exact: Intl takes the decimal text, not a number. */
export class MoneyFormat {
  readonly exponent: number;
  private readonly plainFormat: Intl.NumberFormat;
  private readonly fullFormat: Intl.NumberFormat;
  private readonly groupMark: string;
  private readonly decimalMark: string;
  private readonly signs: string[];

  constructor(readonly currency: string, locale: string) {
    this.exponent = exponentOf(currency);
    const digits = { minimumFractionDigits: this.exponent, maximumFractionDigits: this.exponent };
    this.plainFormat = new Intl.NumberFormat(locale, digits);
    this.fullFormat = new Intl.NumberFormat(locale, { ...digits, style: "currency", currency });
    const parts = new Intl.NumberFormat(locale, { minimumFractionDigits: 1 }).formatToParts(1234567.5);
    this.groupMark = parts.find((part) => part.type === "group")?.value ?? "";
    this.decimalMark = parts.find((part) => part.type === "decimal")?.value ?? ".";
    this.signs = signsOf(currency, locale);
  }

  /** `412,250.00` */
  plain(minor: bigint): string {
    return this.plainFormat.format(formatMinor(minor, this.exponent) as Intl.StringNumericLiteral);
  }

  /** `€412,250.00` */
  full(minor: bigint): string {
    return this.fullFormat.format(formatMinor(minor, this.exponent) as Intl.StringNumericLiteral);
  }

  wire(minor: bigint): string {
    return formatMinor(minor, this.exponent);
  }

  /** What the wire says, in minor units; null when it says nothing. */
  minor(value: unknown): bigint | null {
    return minorOf(value, this.exponent);
  }

  /**
   * What a person typed or pasted, also with the currency's own sign around it (`49 500,00 zł`, `EUR 49,500.00`). A lone mark with three digits after it (`412.250`) could group or divide: where the
   * reader's own locale does not settle it, both readings come back, never a guess.
   */
  typed(text: string): Typed {
    const compact = this.withoutSign(text.replace(NOISE, ""));
    if (compact === "") return { kind: "empty" };
    if (!/^[\d.,]+$/.test(compact) || !/\d/.test(compact)) return { kind: "wrong", code: "malformed" };
    const marks = compact.replace(/\d/g, "");
    if (marks === "") return this.bounded(compact, "");
    const last = marks.at(-1)!;
    const lone = marks.length === 1;
    const [whole, fraction] = splitLast(compact, last);
    if (lone && fraction.length === 3 && whole.length <= 3 && whole !== "" && !whole.startsWith("0")) {
      return this.loneMark(last, whole, fraction);
    }
    if (lone) return this.bounded(whole, fraction);
    const mixed = new Set(marks).size > 1;
    if (!mixed) return isGrouped(compact, last) ? this.bounded(compact.replaceAll(last, ""), "") : MALFORMED;
    const groups = last === "." ? "," : ".";
    const sane = !fraction.includes(groups) && isGrouped(whole, groups);
    return sane ? this.bounded(whole.replaceAll(groups, ""), fraction) : MALFORMED;
  }

  private withoutSign(text: string): string {
    const lower = text.toLowerCase();
    const sign = this.signs.find((each) => lower.startsWith(each) || lower.endsWith(each));
    if (!sign) return text;
    return lower.startsWith(sign) ? text.slice(sign.length) : text.slice(0, -sign.length);
  }

  private loneMark(mark: string, whole: string, fraction: string): Typed {
    const grouped = this.bounded(whole + fraction, "");
    if (mark === this.groupMark) return grouped;
    if (mark === this.decimalMark && this.exponent === 3) return this.bounded(whole, fraction);
    const divided = this.bounded(whole, fraction.slice(0, this.exponent));
    const both = grouped.kind === "amount" && divided.kind === "amount";
    return both ? { kind: "ambiguous", readings: [grouped.minor, divided.minor] } : grouped;
  }

  private bounded(whole: string, fraction: string): Typed {
    const significant = fraction.replace(/0+$/, "");
    if (significant.length > this.exponent) return { kind: "wrong", code: "too_precise" };
    const minor = BigInt((whole || "0") + significant.padEnd(this.exponent, "0"));
    if (minor > MINOR_MAX) return { kind: "wrong", code: "out_of_range" };
    return minor > 0n ? { kind: "amount", minor } : { kind: "wrong", code: "not_positive" };
  }
}

const MALFORMED: Typed = { kind: "wrong", code: "malformed" };

// Blanks of any kind, apostrophes that group, and the marks of direction that some programs paste along.
const NOISE = /[\s'’_\u200e\u200f\u061c\u2066-\u2069]/g;

/** How this currency is written, the longest first, in small letters and without blanks: `eur`, `€`, `zł`. */
function signsOf(currency: string, locale: string): string[] {
  const found = new Set([currency.toLowerCase()]);
  for (const language of [locale, "en"]) {
    for (const currencyDisplay of ["symbol", "narrowSymbol"] as const) {
      const parts = new Intl.NumberFormat(language, { style: "currency", currency, currencyDisplay }).formatToParts(1);
      const sign = parts.find((part) => part.type === "currency")?.value.replace(NOISE, "").toLowerCase();
      if (sign) found.add(sign);
    }
  }
  return [...found].sort((a, b) => b.length - a.length);
}

function splitLast(text: string, mark: string): [string, string] {
  const at = text.lastIndexOf(mark);
  return [text.slice(0, at), text.slice(at + 1)];
}

/** Whether every group after the first has exactly three digits. */
function isGrouped(text: string, mark: string): boolean {
  const [first, ...rest] = text.split(mark);
  return first!.length > 0 && first!.length <= 3 && rest.every((group) => group.length === 3);
}
