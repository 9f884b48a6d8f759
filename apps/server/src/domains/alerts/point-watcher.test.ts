// A run is looked at by its rules also when the database was away while they were matched.
import { expect, it, onTestFinished } from "vitest";
import { waitUntil } from "../../../test/wait-until.ts";
import type { Change } from "./ledger.ts";
import { PointWatcher, type PointWatcherParts } from "./point-watcher.ts";
import { RuleBook } from "./rule-book.ts";
import type { RuleRow } from "./tables.ts";

const RULE = {
  ...{ id: 1, project_id: 1, name: "too high", enabled: 1, version: 1, since: 0, cooldown_s: 0 },
  ...{ scope: '{"run_id":null,"name_contains":null,"tag":null}', target_ids: "[]" },
  condition: JSON.stringify({
    ...{ kind: "metric", metric: "loss", comparison: "above", value: 5 },
    ...{ points: 1, recover_value: null },
  }),
  ...{ notify_recovered: 1, created_at: 0, created_by_name: null },
} satisfies RuleRow;
const RUN = { id: 7, project_id: 1, name: "run", tags: "[]", ended_at: null };

it("matches the rules again where matching them has failed", async () => {
  let numLooks = 0;
  const changes: Change[] = [];
  const book = new RuleBook({ enabledRules: async () => [RULE], revision: async () => 1 });
  await book.load();
  const watcher = new PointWatcher({
    book,
    store: {
      unfinished: async () => [RUN.id],
      progress: async () => undefined,
      standings: async () => {
        numLooks += 1;
        if (numLooks === 1) throw new Error("The database is away.");
        return [];
      },
    },
    ledger: { write: async (found: readonly Change[]) => void changes.push(...found) },
    runs: { find: async () => RUN },
    readAfter: async () => ({
      events: [
        {
          ...{ type: "metric-appended", run_id: RUN.id, attempt: 1, commit_no: 1 },
          series: { loss: { step: [1], time: [10], value: [6] } },
        },
      ],
      ...{ commitNo: 1, more: false },
    }),
    log: { warn: () => undefined },
    now: () => 20,
  } as unknown as PointWatcherParts);
  onTestFinished(() => watcher.stop());
  await watcher.start();
  const [found] = await waitUntil(
    () => changes,
    ({ length }) => length > 0,
  );
  expect(found).toMatchObject({ kind: "fires", metric: "loss", value: 6 });
});
