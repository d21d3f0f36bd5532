/* Price lists: a file is dropped, announced as a dry run, sent with progress, and followed live. */

import "./styles/prices.css";

interface ImportView {
  id: string;
  state: string;
  stage: string | null;
  rows: Record<string, number>;
  bytes: { done: number; total: number };
  upload_url: string;
}

const FORMATS: Record<string, string> = {
  csv: "csv", txt: "csv", tsv: "csv", xlsx: "xlsx", jsonl: "jsonl", ndjson: "jsonl", parquet: "parquet",
};

function csrfToken(): string {
  return document.cookie.match(/(?:^|; )csrf_token=([^;]*)/)?.[1] ?? "";
}

function formatOf(name: string): string {
  const ending = name.toLowerCase().replace(/\.gz$/, "").split(".").pop() ?? "";
  return FORMATS[ending] ?? "csv";
}

/** What was said of how the file is written; other formats have no such thing. */
function readingOf(zone: HTMLElement, format: string): Record<string, string | number> {
  const known: Record<string, string[]> = {
    csv: ["encoding", "delimiter", "decimal", "header_row"],
    xlsx: ["decimal", "sheet", "header_row"],
  };
  const said: Record<string, string | number> = {};
  for (const name of known[format] ?? ["decimal"]) {
    const field = zone.querySelector<HTMLInputElement | HTMLSelectElement>(`[data-reading] [name=${name}]`);
    const text = field?.value.trim() ?? "";
    if (text) said[name] = name === "header_row" ? Number(text) : text;
  }
  return said;
}

async function announce(zone: HTMLElement, file: File): Promise<ImportView> {
  const mode = zone.querySelector<HTMLInputElement>("input[name=mode]:checked")?.value ?? "merge";
  const format = formatOf(file.name);
  const answer = await fetch("/api/v1/price_imports", {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRF-Token": csrfToken() },
    body: JSON.stringify({
      price_list_id: zone.dataset.list,
      mode,
      format,
      reading: readingOf(zone, format),
      file_name: file.name.slice(0, 200),
      on_error: "reject_rows",
      dry_run: true,
    }),
  });
  const told = (await answer.json()) as ImportView & { detail?: string };
  if (!answer.ok) throw new Error(told.detail ?? answer.statusText);
  return told;
}

/** fetch tells no progress of what it sends; XMLHttpRequest does. */
function send(url: string, file: File, bar: HTMLProgressElement): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("PUT", url);
    request.setRequestHeader("X-CSRF-Token", csrfToken());
    request.upload.addEventListener("progress", (step) => {
      bar.max = step.total || 1;
      bar.value = step.loaded;
    });
    request.addEventListener("load", () => {
      if (request.status < 300) resolve();
      else reject(new Error((JSON.parse(request.responseText) as { detail?: string }).detail ?? ""));
    });
    request.addEventListener("error", () => reject(new Error("The connection broke; drop the file again.")));
    request.send(file);
  });
}

async function upload(zone: HTMLElement, file: File): Promise<void> {
  const bar = zone.querySelector("progress");
  const wrong = zone.querySelector<HTMLElement>("[data-drop-error]");
  if (!bar || !wrong) return;
  wrong.textContent = "";
  bar.hidden = false;
  try {
    const begun = await announce(zone, file);
    await send(begun.upload_url, file, bar);
    window.location.assign(`/prices/imports/${begun.id}`);
  } catch (error) {
    bar.hidden = true;
    wrong.textContent = (error as Error).message;
  }
}

function dropZone(zone: HTMLElement): void {
  const input = zone.querySelector<HTMLInputElement>("input[type=file]");
  input?.addEventListener("change", () => {
    const file = input.files?.[0];
    if (file) void upload(zone, file);
  });
  for (const kind of ["dragover", "dragleave", "drop"] as const) {
    zone.addEventListener(kind, (drag) => {
      drag.preventDefault();
      zone.classList.toggle("drop-over", kind === "dragover");
      const file = kind === "drop" ? drag.dataTransfer?.files[0] : undefined;
      if (file) void upload(zone, file);
    });
  }
}

function follow(box: HTMLElement): void {
  const events = new EventSource(box.dataset.follow ?? "");
  const show = (message: Event): void => {
    const view = JSON.parse((message as MessageEvent<string>).data) as ImportView;
    for (const [name, count] of Object.entries(view.rows)) {
      const cell = box.querySelector(`[data-count="${name}"]`);
      if (cell) cell.textContent = count.toLocaleString(document.documentElement.lang);
    }
    const bar = box.querySelector<HTMLProgressElement>("[data-bar]");
    if (bar) {
      bar.max = view.bytes.total || 1;
      bar.value = view.bytes.done;
    }
    const stage = box.querySelector("[data-stage]");
    if (stage) stage.textContent = view.stage ?? view.state;
  };
  events.addEventListener("progress", show);
  events.addEventListener("end", (message) => {
    show(message);
    events.close();
    window.location.reload();
  });
}

for (const zone of document.querySelectorAll<HTMLElement>("[data-drop]")) dropZone(zone);
for (const box of document.querySelectorAll<HTMLElement>("[data-follow]")) follow(box);
