// Shortens long names in the middle: ends tell names apart as often as beginnings do.

/** @example shortenMiddle("resnet18-digits-baseline-7", 14) // "resnet1…line-7" */
export function shortenMiddle(name: string, length: number): string {
  const characters = [...name];
  if (characters.length <= length) return name;
  const head = Math.ceil((length - 1) / 2);
  const tail = length - 1 - head;
  return `${characters.slice(0, head).join("")}…${tail === 0 ? "" : characters.slice(-tail).join("")}`;
}

/**
 * The longest shortening that still fits, with up to `tailLength` characters of the end kept whole.
 * @param fits whether a text has room; asked about log2(length) times
 */
export function fitMiddle(
  name: string,
  tailLength: number,
  fits: (text: string) => boolean,
): string {
  if (fits(name)) return name;
  const characters = [...name];
  const keeping = (numKept: number): string => {
    const tail = Math.min(tailLength, Math.floor(numKept / 2));
    const end = tail === 0 ? "" : characters.slice(-tail).join("");
    return `${characters.slice(0, numKept - tail).join("")}…${end}`;
  };
  let [most, tooMany] = [1, characters.length];
  while (tooMany - most > 1) {
    const middle = Math.floor((most + tooMany) / 2);
    if (fits(keeping(middle))) most = middle;
    else tooMany = middle;
  }
  return keeping(most);
}
