// Which lines of pip say nothing that a person must know: what it looks at, and what it swaps on the way.
// Warnings and errors are none of them; they go to the other stream anyway.

const patterns = [
  /^(Requirement already satisfied:|Looking in |Collecting |Ignoring |Installing collected packages:)/,
  /^\s*(Attempting uninstall:|Found existing installation:|Uninstalling |Successfully uninstalled )/,
  /^\s*(Using cached |Obtaining dependency information )/,
  /^\[notice\] /,
  /━/,
];

export function isPipNoise(line) {
  return line.trim() === "" || patterns.some((pattern) => pattern.test(line));
}
