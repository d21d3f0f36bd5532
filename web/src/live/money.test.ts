import { describe, expect, test } from "vitest";
import { MoneyFormat, exponentOf, formatMinor, minorOf, parseMinor } from "./money";

describe("wire amounts", () => {
  test("round-trip exactly at every exponent", () => {
    for (const [text, exponent, minor] of [
      ["1234.50", 2, 123450n],
      ["0.07", 2, 7n],
      ["-0.07", 2, -7n],
      ["12", 0, 12n],
      ["1.005", 3, 1005n],
      ["90071992547409.91", 2, 9007199254740991n],
    ] as const) {
      expect(parseMinor(text, exponent)).toBe(minor);
      expect(parseMinor(formatMinor(minor, exponent), exponent)).toBe(minor);
    }
  });

  test("more decimals than the currency has are no amount, trailing zeros are", () => {
    expect(parseMinor("1.005", 2)).toBeNull();
    expect(parseMinor("1.500", 2)).toBe(150n);
    expect(parseMinor("1e3", 2)).toBeNull();
    expect(parseMinor("", 2)).toBeNull();
  });

  test("money objects and texts read the same", () => {
    expect(minorOf({ amount: "12.50", currency: "EUR" }, 2)).toBe(1250n);
    expect(minorOf(null, 2)).toBeNull();
    expect(exponentOf("JPY")).toBe(0);
    expect(exponentOf("KWD")).toBe(3);
  });
});

describe("what a person types", () => {
  const english = new MoneyFormat("EUR", "en");
  const german = new MoneyFormat("EUR", "de");
  const amount = (minor: bigint) => ({ kind: "amount", minor });

  test.each([
    ["412250", 41225000n],
    ["412,250.00", 41225000n],
    ["412.250,00", 41225000n],
    ["412 250,5", 41225050n],
    ["1,234,567", 123456700n],
    ["1'234.50", 123450n],
    ["0,5", 50n],
    [".5", 50n],
    ["EUR 12", 1200n],
  ])("%s is understood in every locale", (text, minor) => {
    expect(english.typed(text)).toEqual(amount(minor));
    expect(german.typed(text)).toEqual(amount(minor));
  });

  test("a lone mark before three digits is grouping only for those whose mark it is", () => {
    expect(english.typed("412,250")).toEqual(amount(41225000n));
    expect(german.typed("412.250")).toEqual(amount(41225000n));
    expect(english.typed("412.250")).toEqual({ kind: "ambiguous", readings: [41225000n, 41225n] });
    expect(german.typed("412,250")).toEqual({ kind: "ambiguous", readings: [41225000n, 41225n] });
  });

  test("what is none is told, never guessed", () => {
    expect(english.typed("")).toEqual({ kind: "empty" });
    expect(english.typed("abc")).toEqual({ kind: "wrong", code: "malformed" });
    expect(english.typed("1,23,456")).toEqual({ kind: "wrong", code: "malformed" });
    expect(english.typed("1.2345")).toEqual({ kind: "wrong", code: "too_precise" });
    expect(english.typed("0")).toEqual({ kind: "wrong", code: "not_positive" });
    expect(english.typed("99999999999999999")).toEqual({ kind: "wrong", code: "out_of_range" });
  });

  test("a currency without decimals refuses them", () => {
    expect(new MoneyFormat("JPY", "en").typed("1,500")).toEqual(amount(1500n));
    expect(new MoneyFormat("JPY", "en").typed("1500.5")).toEqual({ kind: "wrong", code: "too_precise" });
  });

  test("shown amounts keep every digit beyond what a float holds", () => {
    expect(english.plain(9007199254740991n)).toBe("90,071,992,547,409.91");
    expect(english.full(123450n)).toBe("€1,234.50");
  });
});

test("an amount is understood as it was pasted, with its currency and in any spacing", () => {
  const pasted: [string, string, string, bigint][] = [
    ["EUR", "en-GB", "€49,500.00", 4_950_000n],
    ["EUR", "de-DE", "49.500,00 €", 4_950_000n],
    ["EUR", "en-GB", " EUR 49,500.00\n", 4_950_000n],
    ["EUR", "en-GB", "49500.00eur", 4_950_000n],
    ["PLN", "pl-PL", "49\u00a0500,00 zł", 4_950_000n],
    ["RON", "ro-RO", "49.500,00 RON", 4_950_000n],
    ["CHF", "de-CH", "CHF 49’500.00", 4_950_000n],
    ["USD", "en-GB", "\u200e$49,500.00", 4_950_000n],
    ["EUR", "en-GB", "49\u2009500.00", 4_950_000n],
  ];
  for (const [currency, locale, text, minor] of pasted) {
    expect(new MoneyFormat(currency, locale).typed(text), text).toEqual({ kind: "amount", minor });
  }
  for (const locale of ["en-GB", "de-DE", "pl-PL", "ro-RO", "ru-RU"]) {
    const format = new MoneyFormat("PLN", locale);
    expect(format.typed(format.full(123_456_789n)), locale).toEqual({ kind: "amount", minor: 123_456_789n });
  }
});

test("an amount of another currency is not one of this auction", () => {
  expect(new MoneyFormat("EUR", "en-GB").typed("$49,500.00")).toMatchObject({ kind: "wrong" });
  expect(new MoneyFormat("EUR", "en-GB").typed("49,500.00 PLN")).toMatchObject({ kind: "wrong" });
});
