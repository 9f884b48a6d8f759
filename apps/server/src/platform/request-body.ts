// Takes a request's body as a stream that may be given up: what is still to come is then read and thrown away, for a
// client that sends everything before it reads would otherwise wait for ever with its answer on the way.
import { PassThrough, type Readable } from "node:stream";

/** The copy must be consumed or destroyed. */
export function detachedBody(body: Readable): Readable {
  const copy = new PassThrough();
  const cutOff = () => {
    if (!body.readableEnded) copy.destroy(new Error("The connection was closed in mid-body."));
  };
  body.once("close", cutOff);
  body.once("error", (error) => copy.destroy(error));
  copy.once("close", () => {
    body.off("close", cutOff);
    body.unpipe(copy);
    body.resume();
  });
  body.pipe(copy);
  return copy;
}
