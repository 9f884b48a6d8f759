// Shortens long names in the middle: ends tell names apart as often as beginnings do.

/** @example shortenMiddle("resnet18-digits-baseline-7", 14) // "resnet1…line-7" */
export function shortenMiddle(name: string, length: number): string {
  const characters = [...name];
  if (characters.length <= length) return name;
  const head = Math.ceil((length - 1) / 2);
  const tail = length - 1 - head;
  return `${characters.slice(0, head).join("")}…${tail === 0 ? "" : characters.slice(-tail).join("")}`;
}

/** Cuts a name so that its end stays whole while CSS shortens the beginning. */
export function splitForMiddle(name: string, tailLength = 8): { head: string; tail: string } {
  const characters = [...name];
  if (characters.length <= tailLength * 2) return { head: name, tail: "" };
  return {
    head: characters.slice(0, -tailLength).join(""),
    tail: characters.slice(-tailLength).join(""),
  };
}
