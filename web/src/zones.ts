/* A typed local time travels as it is, with the zone's offset at that time beside it. */

import { localText, readLocalTime } from "./live/zones";
import { _ } from "./texts";

export function localZones(): void {
  for (const offset of document.querySelectorAll<HTMLInputElement>("[data-zone-of]")) {
    const field = document.getElementById(offset.dataset.zoneOf ?? "") as HTMLInputElement | null;
    const label = field?.labels?.[0];
    if (!field || !label) continue;
    const shifted = offset.value !== "0" && offset.value !== "";
    const utc = new Date(`${field.value}Z`);
    if (!shifted && !Number.isNaN(utc.valueOf())) field.value = localText(utc);
    // Its first words only: what follows them may be an element of its own.
    const words = label.firstChild;
    if (words) words.textContent = (words.textContent ?? "").replace("UTC", Intl.DateTimeFormat().resolvedOptions().timeZone);
    field.addEventListener("change", () => check(field, offset));
    check(field, offset);
    field.form?.addEventListener("submit", (submit) => {
      if (check(field, offset)) return;
      submit.preventDefault();
      field.focus();
    });
  }
}

/** False for a time that cannot be: said at the field, and told to the server, which refuses it as well. */
function check(field: HTMLInputElement, offset: HTMLInputElement): boolean {
  const read = readLocalTime(field.value);
  offset.value = read.kind === "time" ? String(read.offsetMin) : read.kind === "gap" ? "gap" : "0";
  const wrong = read.kind === "gap" || read.kind === "out_of_calendar";
  const known = document.getElementById(`${field.id}-zone`);
  if (!wrong) {
    if (known) field.removeAttribute("aria-invalid");
    known?.remove();
    return true;
  }
  const said = known ?? document.createElement("p");
  said.id = `${field.id}-zone`;
  said.className = "field-error";
  said.setAttribute("role", "alert");
  said.textContent = read.kind === "gap" ? _("This time does not exist: the clocks go forward then. The next one is %(time)s.", { time: read.next.slice(11) }) : _("Choose a day between 2000 and 2199.");
  field.setAttribute("aria-invalid", "true");
  field.setAttribute("aria-describedby", said.id);
  if (!known) (field.closest(".field-box") ?? field).after(said);
  return false;
}
