// Pre-flight: look at a training before it starts, and follow the look while it goes on.
import {
  cancelPreflight,
  FINAL_STATES,
  getPreflight,
  type Preflight,
  type PreflightRequest,
  startPreflight,
} from "@spotter/contract";
import type { z } from "zod";
import type { HttpClient } from "./http.ts";

/** So long one request waits for the end. */
const WAIT_S = 1;

/**
 * Starts a pre-flight and tells how it goes until it is over; when the caller stops listening, it is cancelled.
 * @example for await (const look of followPreflight(client, { recipe: "vision" })) console.log(look.report?.now);
 */
export async function* followPreflight(
  client: HttpClient,
  request: z.input<typeof PreflightRequest>,
): AsyncGenerator<Preflight, void, undefined> {
  let look = await client.call(startPreflight, { body: request });
  const params = { job_id: String(look.job_id) };
  try {
    yield look;
    while (!FINAL_STATES.includes(look.state)) {
      look = await client.call(getPreflight, { params, query: { wait: String(WAIT_S) } });
      yield look;
    }
  } finally {
    if (!FINAL_STATES.includes(look.state)) await client.call(cancelPreflight, { params });
  }
}
