/* Times come from the server in UTC; where a person reads them, they are told in the person's own zone. */

const near = new Intl.DateTimeFormat(document.documentElement.lang, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const today = new Intl.RelativeTimeFormat(document.documentElement.lang, { numeric: "auto" }).format(0, "day");
const soon = new Intl.DateTimeFormat(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" });
const far = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
const exact = new Intl.DateTimeFormat(document.documentElement.lang, { weekday: "long", day: "numeric", month: "long", year: "numeric", hour: "2-digit", minute: "2-digit", timeZoneName: "short" });
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;

export function localTimes(root: ParentNode): void {
  for (const element of root.querySelectorAll<HTMLTimeElement>("time[data-local]")) {
    const at = new Date(element.dateTime);
    if (Number.isNaN(at.valueOf())) continue;
    if (element.dataset.local === "exactly") element.textContent = `${exact.format(at)} (${zone})`;
    else element.textContent = at.toDateString() === new Date().toDateString() ? `${today} ${soon.format(at)}` : far.format(at);
  }
}

/** `10:18:03` in the reader's zone. */
export function clockTime(atMs: number): string {
  return near.format(atMs);
}
