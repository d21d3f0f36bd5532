/* The table of a price's history drawn as stairs: one for each quantity break. Floats only for pixels. */

import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import "./styles/price_history.css";

const HUES = [262, 30, 160, 330, 200, 80, 300, 120];
const locale = document.documentElement.lang;

interface Step {
  series: string;
  sinceS: number;
  untilS: number;
  price: number;
}

// Of the axis' own small type, rounded up.
const CHAR_PX = 8;

function stepsOf(table: HTMLTableElement, nowS: number): Step[] {
  return [...table.querySelectorAll<HTMLTableRowElement>("tr[data-series]")].map((row) => ({
    series: row.dataset.series ?? "",
    sinceS: Date.parse(row.dataset.since ?? "") / 1_000,
    untilS: row.dataset.until ? Date.parse(row.dataset.until) / 1_000 : nowS,
    price: Number(row.dataset.price),
  }));
}

/** uPlot's columns: every time at which something changed, and each series' price from then on (null: none). */
function columns(steps: Step[], names: string[]): uPlot.AlignedData {
  const times = [...new Set(steps.flatMap((step) => [step.sinceS, step.untilS]))].sort((a, b) => a - b);
  const last = times.at(-1);
  const prices = names.map((name) => {
    const own = steps.filter((step) => step.series === name);
    return times.map((time) => {
      const holds = own.find((step) => step.sinceS <= time && (time < step.untilS || (time === last && step.untilS === last)));
      return holds?.price ?? null;
    });
  });
  return [times, ...prices] as uPlot.AlignedData;
}

// One lightness between the themes: at least 3:1 against the light and the dark surface (WCAG 1.4.11).
const hue = (index: number): string => `oklch(0.62 0.14 ${HUES[index % HUES.length]})`;

function legend(list: HTMLElement, names: string[]): void {
  list.replaceChildren(
    ...names.map((name, index) => {
      const entry = document.createElement("li");
      const mark = document.createElement("span");
      mark.className = "history-mark";
      mark.style.setProperty("background", hue(index));
      entry.append(mark, name);
      return entry;
    }),
  );
}

function draw(box: HTMLElement, data: uPlot.AlignedData, names: string[]): void {
  const size = (): { width: number; height: number } => ({ width: box.clientWidth, height: box.clientHeight });
  // light-dark() is only resolved on an element; a canvas needs the resolved colour.
  const ink = (): string => getComputedStyle(box).color;
  const stair = uPlot.paths.stepped?.({ align: 1 });
  const axis = { stroke: ink, grid: { stroke: "rgb(128 128 128 / 0.25)", width: 1 }, ticks: { show: false }, font: '12px "Inter Variable", system-ui'  };
  const day = new Intl.DateTimeFormat(locale, { dateStyle: "short" });
  const moment = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
  const short = new Intl.NumberFormat(locale, { maximumSignificantDigits: 6 });
  const told = (ticks: number[]): string[] => {
    const format = (ticks.at(-1) ?? 0) - (ticks[0] ?? 0) < 86_400 ? moment : day;
    return ticks.map((tick) => format.format(tick * 1_000));
  };
  const plot = new uPlot(
    {
      ...size(),
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false } },
      axes: [
        { ...axis, size: 34, space: 90, values: (_plot, ticks) => told(ticks) },
        { ...axis, size: (_plot, labels) => Math.max(64, ...(labels ?? []).map((label) => label.length * CHAR_PX + 16)), values: (_plot, ticks) => ticks.map((tick) => short.format(tick)) },
      ],
      series: [
        {},
        ...names.map((label, index) => ({ label, stroke: hue(index), width: 2, points: { show: false }, ...(stair ? { paths: stair } : {}) })),
      ],
    },
    data,
    box,
  );
  new ResizeObserver(() => plot.setSize(size())).observe(box);
  const redraw = (): void => plot.redraw(false, true);
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  new MutationObserver(redraw).observe(document.documentElement, { attributeFilter: ["data-bs-theme"] });
}

const table = document.querySelector<HTMLTableElement>("#history-table");
const box = document.querySelector<HTMLElement>("#history-plot");
const list = document.querySelector<HTMLElement>("#history-legend");
if (table && box && list) {
  const steps = stepsOf(table, Date.now() / 1_000);
  const names = [...new Set(steps.map((step) => step.series))].sort(new Intl.Collator(locale, { numeric: true }).compare);
  legend(list, names);
  draw(box, columns(steps, names), names);
}
