// Widths, headings and kinds of the list's columns. Pure.

/** Columns whose values are numbers stand to the right. */
export function isNumberColumn(column: string): boolean {
  return (
    column.startsWith("metric:") ||
    ["id", "progress", "best", "duration", "created_at"].includes(column)
  );
}

/** What the server can sort by. */
export function isSortable(column: string): boolean {
  return (
    column.startsWith("metric:") ||
    ["id", "created_at", "name", "state", "duration"].includes(column)
  );
}

export function headingOf(column: string, t: (key: string) => string): string {
  return column.startsWith("metric:")
    ? column.slice("metric:".length)
    : t(`runs.columnNames.${column}`);
}

/** The grid of head and rows: selection, state, number, name, then the chosen columns. */
export function gridOf(columns: readonly string[]): string {
  const widths = columns.map((column) => {
    if (column === "progress") return "minmax(132px, 150px)";
    if (column === "tags") return "minmax(100px, 180px)";
    if (column === "created_at" || column === "duration") return "112px";
    return "minmax(96px, 136px)";
  });
  return ["32px", "104px", "56px", "minmax(180px, 1fr)", ...widths].join(" ");
}
