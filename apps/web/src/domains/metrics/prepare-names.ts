// Groups of metric names by their first part, and short names for legends.

/** `train/loss` belongs to `train`; a name without a slash to no group. */
export function groupOf(name: string): string {
  const slash = name.indexOf("/");
  return slash === -1 ? "" : name.slice(0, slash);
}

/** Takes away what all names share up to a separator; a name never becomes empty. */
export function removeSharedPrefix(names: readonly string[]): string[] {
  const first = names[0];
  if (first === undefined || names.length < 2) return [...names];
  let length = first.length;
  for (const name of names) {
    let same = 0;
    while (same < length && name[same] === first[same]) same++;
    length = same;
  }
  let cut = length - 1;
  while (cut >= 0 && !isBetweenWords(first, cut)) cut--;
  return names.map((name) => (cut >= 0 && name.length > cut + 1 ? name.slice(cut + 1) : name));
}

/** Within a number (`0.1`, `1e-3`, ` -2`) nothing may be cut: what is left would be another number. */
function isBetweenWords(name: string, place: number): boolean {
  const character = name[place] ?? "";
  if (character === "/" || character === "_" || character === " ") return true;
  if (character === ".") return !/\d$/.test(name.slice(0, place));
  return character === "-" && !/(^|[^\w])$|\de$/i.test(name.slice(0, place));
}

/** Adds names into a sorted list without repeats; the same list when there is nothing new. */
export function mergeNames(sorted: readonly string[], added: readonly string[]): readonly string[] {
  const known = new Set(sorted);
  const fresh = added.filter((name) => !known.has(name));
  if (fresh.length === 0) return sorted;
  return [...sorted, ...new Set(fresh)].sort(compareNames);
}

/** The server's order: by code point. */
export function compareNames(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

/** Last parts of names that people look for first. */
const FIRST_NAMES = ["loss", "accuracy", "learning_rate", "gradient_norm"];

/** The order in which a group's charts are shown: what people look for, then by name. */
export function orderForReading(names: readonly string[]): string[] {
  const rank = (name: string) => {
    const place = FIRST_NAMES.indexOf(name.slice(name.indexOf("/") + 1));
    return place === -1 ? FIRST_NAMES.length : place;
  };
  return [...names].sort((a, b) => rank(a) - rank(b) || compareNames(a, b));
}
