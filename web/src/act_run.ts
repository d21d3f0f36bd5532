/* Acts of a month: the progress of the run, live; the page is loaded again when it is done. */

interface ActRun {
  state: string;
  acts: number;
  rendered: number;
}

function show(box: HTMLElement, run: ActRun): void {
  const bar = box.querySelector<HTMLProgressElement>("[data-bar]");
  if (bar) {
    bar.max = run.acts || 1;
    bar.value = run.rendered;
  }
  for (const name of ["acts", "rendered"] as const) {
    const cell = box.querySelector(`[data-${name}]`);
    if (cell) cell.textContent = run[name].toLocaleString(document.documentElement.lang);
  }
}

for (const box of document.querySelectorAll<HTMLElement>("[data-act-run]")) {
  const events = new EventSource(box.dataset.actRun ?? "");
  const read = (message: Event): void => show(box, JSON.parse((message as MessageEvent<string>).data) as ActRun);
  events.addEventListener("progress", read);
  events.addEventListener("end", (message) => {
    read(message);
    events.close();
    window.location.reload();
  });
}
