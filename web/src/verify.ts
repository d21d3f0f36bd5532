/* The page that checks receipts: a file is sent as it is, and the answer takes the place of the last one. */

import { localTimes } from "./times";

const form = document.querySelector<HTMLFormElement>("[data-verify]");
const file = form?.querySelector<HTMLInputElement>("input[type=file]");

async function check(body: File | URLSearchParams, name: string): Promise<void> {
  if (!form) return;
  const error = form.querySelector<HTMLElement>("[data-error]");
  const button = form.querySelector("button");
  const shown = form.querySelector("[data-name]");
  if (error) error.hidden = true;
  if (button) button.disabled = true;
  if (shown) shown.textContent = name;
  form.setAttribute("aria-busy", "true");
  try {
    const headers: Record<string, string> = { Accept: "text/html" };
    if (body instanceof File) headers["Content-Type"] = "application/octet-stream";
    const answer = await fetch(form.action, { method: "POST", headers, body });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const verdict = page.getElementById("verdict");
    // A page of another kind says why nothing could be checked: too large, too many at once.
    const main = page.querySelector("main");
    if (verdict) document.getElementById("verdict")?.replaceWith(verdict);
    else if (main) document.getElementById("verdict")?.replaceChildren(...main.childNodes);
    localTimes(document);
    document.querySelector<HTMLElement>("#verdict [data-focus]")?.focus();
  } catch {
    if (error) error.hidden = false;
  }
  form.removeAttribute("aria-busy");
  if (button) button.disabled = false;
}

function take(chosen: File | undefined): void {
  const text = form?.querySelector<HTMLTextAreaElement>("textarea");
  if (!chosen || !text) return;
  text.value = "";
  void check(chosen, chosen.name);
}

file?.addEventListener("change", () => {
  take(file.files?.[0]);
  // The same file again is a new check.
  file.value = "";
});
form?.addEventListener("submit", (submit) => {
  submit.preventDefault();
  void check(new URLSearchParams(new FormData(form) as unknown as Record<string, string>), "");
});
for (const kind of ["dragover", "dragleave", "drop"] as const) {
  form?.addEventListener(kind, (drag) => {
    drag.preventDefault();
    form.classList.toggle("drop-over", kind === "dragover");
    if (kind === "drop") take(drag.dataTransfer?.files[0]);
  });
}
