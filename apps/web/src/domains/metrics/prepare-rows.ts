// Which rows of a long grid exist: those on the screen and three screens around it. Heights are fixed, so this is
// arithmetic and not measuring.

export interface GridWindow {
  /** Index of the first and behind the last cell that exists. */
  first: number;
  end: number;
  /** Room that the missing rows above and below take, px. */
  above: number;
  below: number;
}

/** Rows beyond this many screens are destroyed; their data stays in the store. */
const KEPT_SCREENS = 3;

/**
 * @param top where the grid begins, relative to the top of the screen (negative once it is scrolled past), px
 * @param rowHeight height of a row with its gap, px
 */
export function gridWindow(
  numCells: number,
  columns: number,
  rowHeight: number,
  top: number,
  screenHeight: number,
): GridWindow {
  const numRows = Math.ceil(numCells / columns);
  const kept = KEPT_SCREENS * screenHeight;
  const firstRow = clamp(Math.floor((-top - kept) / rowHeight), 0, numRows);
  const endRow = clamp(Math.ceil((screenHeight + kept - top) / rowHeight), firstRow, numRows);
  return {
    first: firstRow * columns,
    end: Math.min(endRow * columns, numCells),
    above: firstRow * rowHeight,
    below: (numRows - endRow) * rowHeight,
  };
}

/** A row of the key below a chart's title, px. */
export const KEY_ROW = 20;
const KEY_ROWS = { wide: 4, narrow: 6 };

/** How many rows the key of several curves has, and how many curves stand in it; the last place may say how many more. */
export function keyRows(numCurves: number, isNarrow: boolean): { rows: number; places: number } {
  if (numCurves < 2) return { rows: 0, places: 0 };
  const [columns, most] = isNarrow ? [1, KEY_ROWS.narrow] : [2, KEY_ROWS.wide];
  const rows = Math.min(Math.ceil(numCurves / columns), most);
  return { rows, places: rows * columns };
}

/** As many columns as fit with a chart of at least 360 px; on a phone one. */
export function fittingColumns(width: number): number {
  return clamp(Math.floor((width + 12) / 372), 1, 4);
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}
