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

/** As many columns as fit with a chart of at least 360 px; on a phone one. */
export function fittingColumns(width: number): number {
  return clamp(Math.floor((width + 12) / 372), 1, 4);
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}
