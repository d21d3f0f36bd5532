/* On every page: styles, htmx, and small comforts; each page works without them. */

import "@tabler/core/dist/css/tabler.min.css";
import "./styles/fonts.css";
import "./styles/app.css";
import "htmx.org";
import "./mark.svg?url";
import { hearOtherTabs } from "./elsewhere";
import { countdown } from "./live/clock";
import { localTimes } from "./times";
import { localZones } from "./zones";

function keepTheme(): void {
  const form = document.querySelector<HTMLFormElement>("[data-theme-form]");
  form?.addEventListener("submit", (submit) => {
    const theme = (submit.submitter as HTMLButtonElement | null)?.value;
    if (!theme) return;
    submit.preventDefault();
    const root = document.documentElement;
    if (theme === "auto") root.removeAttribute("data-bs-theme");
    else root.dataset.bsTheme = theme;
    for (const button of form.querySelectorAll("button")) {
      button.setAttribute("aria-pressed", String(button.value === theme));
    }
    const body = new URLSearchParams(new FormData(form) as unknown as Record<string, string>);
    body.set("theme", theme);
    void fetch(form.action, { method: "POST", body, redirect: "manual" });
  });
}

function closeMenus(): void {
  document.addEventListener("click", (click) => {
    for (const menu of document.querySelectorAll<HTMLDetailsElement>("details.menu[open]")) {
      if (!menu.contains(click.target as Node)) menu.open = false;
    }
  });
  document.addEventListener("keydown", (key) => {
    const open = document.querySelector<HTMLDetailsElement>("details.menu[open]");
    if (key.key !== "Escape" || !open) return;
    open.open = false;
    open.querySelector("summary")?.focus();
  });
}

function copyButtons(): void {
  document.addEventListener("click", (click) => {
    const button = (click.target as Element).closest<HTMLButtonElement>("[data-copy]");
    const source = button && document.querySelector(button.dataset.copy ?? "");
    if (!button || !source) return;
    void navigator.clipboard.writeText(source.textContent ?? "").then(() => {
      button.textContent = button.dataset.copied ?? "";
    });
  });
}

function confirmForms(): void {
  document.addEventListener("submit", (submit) => {
    const question = (submit.target as HTMLFormElement).dataset.confirm;
    if (question && !window.confirm(question)) submit.preventDefault();
  });
}

const leftSince = new WeakMap<Element, { told: string; atMs: number }>();

/** What is left was right when the server wrote it; until it writes again, this device counts on. */
function countDown(): void {
  for (const place of document.querySelectorAll<HTMLElement>("[data-left-s]")) {
    const told = place.dataset.leftS ?? "";
    const known = leftSince.get(place);
    if (known?.told !== told) {
      leftSince.set(place, { told, atMs: performance.now() });
      continue;
    }
    place.textContent = countdown(Math.max(0, Number(told) * 1_000 - (performance.now() - known.atMs)), "seconds");
  }
}

keepTheme();
hearOtherTabs();
localZones();
setInterval(countDown, 500);
closeMenus();
copyButtons();
confirmForms();
localTimes(document);
document.addEventListener("htmx:after:swap", () => localTimes(document));
document.querySelector<HTMLElement>("[data-focus]")?.focus();
