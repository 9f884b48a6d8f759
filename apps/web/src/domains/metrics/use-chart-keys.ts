// The keyboard of charts: arrows move the focus, l log, 0 whole range, comma and full stop smooth less and more.
// Enter (full screen) belongs to the focused chart itself.
import { useKeys } from "../../platform/keys/use-keys.ts";
import type { ChartPage } from "./chart-page.ts";
import { stepSmoothing } from "./prepare-view.ts";

export function useChartKeys(page: ChartPage): void {
  const group = "metrics.keys.group";
  const smooth = (direction: 1 | -1) =>
    page.setView({ smoothing: stepSmoothing(page.view.value.smoothing, direction) });
  useKeys([
    {
      keys: "l",
      group,
      label: "metrics.keys.log",
      run: () => page.setView({ yMode: page.view.value.yMode === "log" ? "auto" : "log" }),
    },
    { keys: "0", group, label: "metrics.keys.reset", run: () => page.setView({ range: null }) },
    { keys: ",", group, label: "metrics.keys.less", run: () => smooth(-1) },
    { keys: ".", group, label: "metrics.keys.more", run: () => smooth(1) },
  ]);
}

/** Moves the focus between charts; arrows elsewhere scroll the page as ever. */
export function moveChartFocus(root: HTMLElement, event: KeyboardEvent): void {
  const charts = [...root.querySelectorAll<HTMLElement>("[data-chart]")];
  const current = charts.find((chart) => chart === event.target);
  if (current === undefined) return;
  const index = charts.indexOf(current);
  const next =
    event.key === "ArrowRight"
      ? charts[index + 1]
      : event.key === "ArrowLeft"
        ? charts[index - 1]
        : event.key === "ArrowDown" || event.key === "ArrowUp"
          ? inNextRow(charts, current, event.key === "ArrowDown")
          : undefined;
  if (next === undefined) return;
  event.preventDefault();
  next.focus();
}

/** The chart in the next row that is nearest sideways. */
function inNextRow(
  charts: readonly HTMLElement[],
  current: HTMLElement,
  isDown: boolean,
): HTMLElement | undefined {
  const from = current.getBoundingClientRect();
  const rows = charts
    .map((chart) => ({ chart, box: chart.getBoundingClientRect() }))
    .filter(({ box }) => (isDown ? box.top >= from.bottom - 1 : box.bottom <= from.top + 1));
  const distance = (box: DOMRect) =>
    Math.abs(box.top - from.top) * 1000 + Math.abs(box.left - from.left);
  return rows.sort((a, b) => distance(a.box) - distance(b.box))[0]?.chart;
}
