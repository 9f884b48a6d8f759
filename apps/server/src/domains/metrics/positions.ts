// Stream positions in text, as in SSE ids: `42:1071,43:9`.
import { positionUnknown } from "./errors.ts";

const POSITION = /^[1-9][0-9]{0,14}:[0-9]{1,15}(,[1-9][0-9]{0,14}:[0-9]{1,15})*$/;

/** Throws `position-unknown`. */
export function parsePositions(text: string): Map<number, number> {
  if (!POSITION.test(text)) throw positionUnknown(text);
  return new Map(
    text.split(",").map((part): [number, number] => {
      const [runId, commitNo] = part.split(":");
      return [Number(runId), Number(commitNo)];
    }),
  );
}
