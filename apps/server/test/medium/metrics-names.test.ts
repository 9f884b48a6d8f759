// The tree of names: every name once, by pages of any size, with counts and last values.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { freshTestDatabase } from "../database.ts";
import { MetricsModel, openRoom, pointsEvent, RUN } from "../metrics-model.ts";

const part = fc.constantFrom("a", "b", "B", "layer", "layer0", "x y", "é", "~", ".", "0");
const name = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/"));

describe("the tree of metric names", () => {
  it("has each name and group exactly once, whatever the page size", async () => {
    const database = await freshTestDatabase();
    const room = openRoom(database);
    const names = new Set<string>();
    await fc.assert(
      fc.asyncProperty(
        fc.array(name, { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 1, max: 6 }),
        async (added, limit) => {
          const points = [{ step: 1, time: 1, value: 0.5 }];
          for (const one of added) names.add(one);
          await room.send(1, [pointsEvent(Object.fromEntries(added.map((one) => [one, points])))]);
          const found = await walk("", limit);
          expect(found).toEqual([...names].sort(byBytes));
          const flat = await readPages({ prefix: "", isFlat: true, search: undefined }, limit);
          expect(flat.map((node) => node.path)).toEqual([...names].sort(byBytes));
          const some = await readPages({ prefix: "", isFlat: true, search: "LAYER" }, limit);
          expect(some.map((node) => node.path)).toEqual(
            [...names].filter((one) => one.includes("layer")).sort(byBytes),
          );
        },
      ),
      { numRuns: 25 },
    );

    async function walk(prefix: string, limit: number): Promise<string[]> {
      const nodes = await readPages({ prefix, isFlat: false, search: undefined }, limit);
      const found: string[] = [];
      for (const node of nodes) {
        if (node.kind === "series") found.push(node.path);
        else {
          const below = await walk(node.path, limit);
          expect(below.length).toBe(node.num_series);
          found.push(...below);
        }
      }
      return found.sort(byBytes);
    }

    async function readPages(
      request: { prefix: string; isFlat: boolean; search: string | undefined },
      limit: number,
    ) {
      const nodes = [];
      for (let after: string | null = ""; after !== null; ) {
        const page: Awaited<ReturnType<typeof room.service.tree>> = await room.service.tree(RUN, {
          ...request,
          after,
          limit,
        });
        nodes.push(...page.nodes);
        after = page.next_after;
      }
      return nodes;
    }
  });

  it("tells points and last value, also when a later attempt superseded the newest", async () => {
    const database = await freshTestDatabase();
    const room = openRoom(database);
    const model = new MetricsModel();
    const series = {
      loss: [10, 20, 30].map((step) => ({ step, time: step, value: step / 10 })),
    };
    model.add(1, series);
    await room.send(1, [pointsEvent(series)]);
    const leaf = async () =>
      (
        await room.service.tree(RUN, {
          ...{ prefix: "", isFlat: false, search: undefined },
          ...{ after: "", limit: 10 },
        })
      ).nodes[0];
    expect(await leaf()).toMatchObject({ num_points: 3, last_step: 30, last_value: 3 });
    await room.sealer.sealRun(RUN, true);
    expect(await leaf()).toMatchObject({ num_points: 3, last_step: 30, last_value: 3 });
    await database.call({
      name: "metrics-attempt",
      payload: { runId: RUN, attempt: 2, firstStep: 25 },
    });
    expect(await leaf()).toMatchObject({ num_points: 3, last_step: 20, last_value: 2 });
  });
});

function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
