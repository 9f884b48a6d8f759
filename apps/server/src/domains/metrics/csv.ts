// Raw points of one series as CSV, streamed page by page.
import { Readable } from "node:stream";
import type { MetricsService } from "./service.ts";

const POINTS_A_PAGE = 20_000;
const HEADER = "step,time,value,attempt,superseded\n";

/** Throws `metric-not-found` before the first byte. */
export async function csvOf(
  service: MetricsService,
  runId: number,
  name: string,
): Promise<Readable> {
  const first = await service.listPoints(runId, name, 0, POINTS_A_PAGE);
  async function* lines() {
    yield HEADER;
    for (
      let page = first;
      ;
      page = await service.listPoints(runId, name, page.next_offset, POINTS_A_PAGE)
    ) {
      yield page.step
        .map(
          (step, at) =>
            `${step},${page.time[at]},${page.value[at]},${page.attempt[at]},${page.superseded[at]}\n`,
        )
        .join("");
      if (page.next_offset === null) return;
    }
  }
  return Readable.from(lines());
}
