/* Texts of the modules. The English sentence is its own key; other languages come with the page as JSON. */

const table: Record<string, string> = read();

function read(): Record<string, string> {
  if (typeof document === "undefined") return {};
  const text = document.getElementById("texts")?.textContent;
  return text ? (JSON.parse(text) as Record<string, string>) : {};
}

/** `_("Rank %(rank)s", { rank: "2" })`; named places, so a translation may change their order. */
export function _(sentence: string, values: Record<string, string | number> = {}): string {
  return (table[sentence] ?? sentence).replace(/%\((\w+)\)s/g, (place, name: string) => String(values[name] ?? place));
}
