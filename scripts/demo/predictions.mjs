// Loads the saved weights back through the server and shows that they know digits they were never shown.
import { say } from "../bootstrap/say.mjs";

const shades = " .:-=+*#%@";
const samples = 4;

export async function showPredictions(account, run) {
  const answer = await account.call("POST", `/api/runs/${run.id}/predict`, {
    test_samples: samples,
  });
  const accuracy = answer.test_accuracy;
  say(`\nWeights loaded back from ${answer.weights}\n  sha256 ${answer.sha256}`);
  if (accuracy !== null)
    say(`  test accuracy ${(100 * accuracy).toFixed(2)} % on images that the training never saw`);
  say("");
  for (const line of sideBySide(answer.predictions)) say(`  ${line}`);
}

/** Pictures in a row, and under each what the model says and what is right. */
export function sideBySide(predictions) {
  const pictures = predictions.map((prediction) => (prediction.thumbnail ?? []).map(drawRow));
  const height = Math.max(0, ...pictures.map((rows) => rows.length));
  const width = Math.max(16, ...pictures.map((rows) => rows[0]?.length ?? 0)) + 2;
  const lines = [];
  for (let row = 0; row < height; row += 1) {
    lines.push(pictures.map((rows) => (rows[row] ?? "").padEnd(width)).join(""));
  }
  const words = predictions.map(({ label, confidence, truth }) => {
    const mark = truth === null ? "" : truth === label ? " right" : ` no: ${truth}`;
    return `${label} (${(100 * confidence).toFixed(0)} %)${mark}`.padEnd(width);
  });
  return [...lines, words.join("")];
}

// Two characters a pixel: a terminal's cell is twice as high as wide.
function drawRow(row) {
  return row
    .map((value) =>
      (shades[Math.min(shades.length - 1, Math.floor(value * shades.length))] ?? " ").repeat(2),
    )
    .join("");
}
