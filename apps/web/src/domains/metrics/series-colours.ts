// Reads the colours that a canvas needs from the page's tokens; called again when the theme changes.

export interface ChartColours {
  text: string;
  axis: string;
  grid: string;
  surface: string;
  bad: string;
  accent: string;
  /** The twelve series slots. */
  series: string[];
}

export interface LineStyle {
  colour: string;
  dash: number[] | undefined;
}

/** Lines beyond this slot are grey until they are looked at. */
const NUM_STYLED_SLOTS = 24;

export function readColours(root: Element): ChartColours {
  const style = getComputedStyle(root);
  const token = (name: string) => style.getPropertyValue(`--sp-${name}`).trim();
  return {
    text: token("text-1"),
    axis: token("text-3"),
    grid: token("border"),
    surface: token("surface"),
    bad: token("bad"),
    accent: token("accent"),
    series: Array.from({ length: 12 }, (_, index) => token(`series-${index + 1}`)),
  };
}

/** Slots 1–6 solid, 7–12 dashed, 13–24 the same colours dotted, then grey. */
export function lineStyle(colours: ChartColours, slot: number): LineStyle {
  if (slot >= NUM_STYLED_SLOTS) return { colour: colours.axis, dash: undefined };
  const colour = colours.series[slot % 12] ?? colours.axis;
  if (slot >= 12) return { colour, dash: [1.5, 3] };
  return { colour, dash: slot >= 6 ? [6, 3] : undefined };
}

/** A `#rrggbb` colour made see-through. */
export function withAlpha(colour: string, alpha: number): string {
  const share = Math.round(Math.min(1, Math.max(0, alpha)) * 255);
  return /^#[0-9a-f]{6}$/i.test(colour)
    ? `${colour}${share.toString(16).padStart(2, "0")}`
    : `color-mix(in srgb, ${colour} ${alpha * 100}%, transparent)`;
}
