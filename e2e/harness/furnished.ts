// A house with one of everything in it, for tests that walk through all pages; and the addresses of those pages.
import {
  controlTraining,
  createAlertRule,
  createAlertTarget,
  createComparison,
  createForks,
  createInvitation,
  createRun,
  createUser,
  Dataset,
  findModelVersions,
  getQueue,
  listAlerts,
  sendRunEvents,
  testAlertTarget,
  updateModelVersion,
} from "@spotter/contract";
import { freePort, House } from "./house.ts";
import { until } from "./until.ts";

const QUICK = { epochs: 4, width: 4, batch_size: 256, checkpoint_every_epochs: 1 };
const ENDLESS = { epochs: 5000, width: 8, schedule: "constant", warmup_epochs: 0 };
/** What people called things here; a walk that looks for words of another language knows these. */
export const GIVEN_NAMES = [
  ...["ada", "grace", "Linus", "digits", "test"],
  "parent",
  "fork",
  "endless",
  "own",
  "script",
  "sleeper",
  "pair",
  "reviews",
];

export interface Furnished {
  house: House;
  /** Of every page and tab, things that are there. */
  pages: string[];
  /** Of things that are not there. */
  missing: string[];
  /** With a live change, whose own checkpoint lies at the same step. */
  changed: number;
  parent: number;
  close(): Promise<void>;
}

export async function furnish(): Promise<Furnished> {
  const house = await House.open({ env: { SPOTTER_ALERT_PRIVATE_TARGETS: "allow" } });
  const { client } = house;
  const dataset = await uploadReviews(house);
  const script = await ownScript(house);
  await rulesAndTargets(house);
  await client.call(createUser, { body: { name: "grace", password: "correct horse battery" } });
  await client.call(createInvitation, { body: { project_id: 1, role: "viewer", note: "Linus" } });

  const parent = (await house.train({ ...QUICK, keep_checkpoints: 10 }, "parent")).id;
  await house.untilState(parent, "finished");
  const version = await until("the parent's version is stored", async () => {
    const query = { run_id: String(parent) };
    const [found] = (await client.call(findModelVersions, { query })).versions;
    return found?.storage === "stored" ? found : undefined;
  });
  const stage = { stage: "production", reason: "第一个" } as const;
  await client.call(updateModelVersion, { params: { version_id: version.id }, body: stage });
  const forked = await client.call(createForks, {
    params: { run_id: parent },
    body: { checkpoint: 12, changes: { learning_rate: 0.001 }, name: "fork" },
  });
  const fork = forked.runs[0]?.id ?? 0;
  await house.untilState(fork, "finished");
  const pair = { name: "pair", run_ids: [parent, fork] };
  const comparison = await client.call(createComparison, { body: pair });
  const changed = await changedWhileItRan(house);
  await until("the rule has fired", async () => {
    const { alerts } = await client.call(listAlerts, { query: { run_id: String(changed) } });
    return alerts.length > 0;
  });
  const running = await sleeper(house);
  await house.untilState(running, "running");
  const waiting = await sleeper(house);

  return {
    ...{ house, changed, parent },
    ...addressesOf({
      parent,
      fork,
      changed,
      running,
      waiting,
      script,
      dataset,
      version,
      comparison,
    }),
    close: async () => {
      for (const id of [waiting, running])
        await client.call(controlTraining, { body: { action: "cancel", run_id: id } });
      await until("nothing runs", async () => {
        const view = await client.call(getQueue, {});
        return view.running.length + view.waiting.length === 0;
      });
      await house.close();
    },
  };
}

interface Contents {
  parent: number;
  fork: number;
  changed: number;
  running: number;
  waiting: number;
  script: number;
  dataset: { id: number };
  version: { id: number; model_id: number; version: number };
  comparison: { id: number };
}

function addressesOf(contents: Contents): Pick<Furnished, "pages" | "missing"> {
  const { parent, fork, changed, running, waiting, script } = contents;
  const { dataset, version, comparison } = contents;
  const run = (id: number, ...tabs: string[]) => tabs.map((tab) => `/runs/${id}/${tab}`);
  const model = `/models/${version.model_id}`;
  return {
    pages: [
      ...["/", "/runs", "/runs/new", `/runs/new?from=${parent}`, "/queue"],
      ...["/datasets", `/datasets/${dataset.id}`],
      ...["/models", "/models/versions", model, `${model}/v/${version.version}/card`],
      ...[`/models/compare?v=${version.id}`, "/models/compare"],
      ...["/compare", `/compare?runs=${parent},${fork},${script}`, `/compare/${comparison.id}`],
      ...["", "/rules", "/targets", "/deliveries"].map((tab) => `/alerts${tab}`),
      ...["account", "tokens", "people", "system", "audit"].map((page) => `/settings/${page}`),
      ...run(parent, "charts", "config", "logs", "system", "files", "lineage", "control", "fork"),
      ...run(fork, "charts", "config", "lineage"),
      ...run(changed, "charts", "config", "logs", "files", "control"),
      ...run(running, "charts", "config", "system", "files"),
      ...run(script, "charts", "config", "logs", "system", "files", "lineage"),
      ...run(waiting, "charts", "config", "system"),
    ],
    missing: [
      ...["/runs/99999/charts", "/runs/new?from=99999", "/models/99999", "/models/99999/v/1/card"],
      ...[`${model}/v/99/card`, "/models/compare?v=99999", "/datasets/99999", "/compare/99999"],
      ...["/models/9999999999999999999", "/nowhere"],
    ],
  };
}

async function uploadReviews(house: House): Promise<Dataset> {
  const rows = Array.from({ length: 20 }, (_, at) => `句子 ${at},${at % 2 === 0 ? "好" : "坏"}`);
  const answer = await fetch(`${house.url}/api/datasets?name=reviews&file=reviews.csv`, {
    method: "POST",
    headers: {
      "content-type": "application/octet-stream",
      authorization: `Bearer ${house.token}`,
    },
    body: ["text,label", ...rows].join("\n"),
  });
  return Dataset.parse(await answer.json());
}

/** A run that an own script logged, with a value that is none and one far above the rest. */
async function ownScript(house: House): Promise<number> {
  const run = await house.client.call(createRun, { body: { name: "own script", tags: ["own"] } });
  const step = Array.from({ length: 500 }, (_, index) => index);
  const time = step.map((at) => 1_795_000_000 + at);
  const value = step.map((at) => (at === 200 ? 900 : at === 300 ? "NaN" : Math.exp(-at / 200)));
  const line = { time: 1_795_000_000, stream: "stdout", level: "info", step: 200 } as const;
  await house.client.call(sendRunEvents, {
    params: { run_id: run.id },
    body: {
      ...{ protocol: 1, attempt: 1, seq: 1 },
      events: [
        { type: "metric-points", series: { "train/loss": { step, time, value } } },
        { type: "log-lines", lines: [{ ...line, text: "第 200 步" }] },
      ],
    },
  });
  return run.id;
}

async function rulesAndTargets({ client }: House): Promise<void> {
  // Nobody listens there: the delivery is tried, and given up in the open.
  const url = `http://127.0.0.1:${await freePort()}/hook`;
  const target = await client.call(createAlertTarget, {
    body: { name: "own", kind: "webhook", url, language: "en" },
  });
  await client.call(testAlertTarget, { params: { target_id: target.id } });
  const condition = {
    kind: "metric",
    metric: "train/loss",
    comparison: "above",
    value: 0,
  } as const;
  await client.call(createAlertRule, {
    body: { name: "own", condition: { ...condition, points: 1 }, target_ids: [target.id] },
  });
}

/** A training with a live change, as people make one; stopped, for what trains takes the machine from the pages. */
async function changedWhileItRan(house: House): Promise<number> {
  const { id } = await house.train(ENDLESS, "endless");
  await until("it trains", async () => {
    const run = await house.run(id);
    return run.state === "running" && (run.progress?.step ?? 0) > 30;
  });
  const values = { learning_rate: 1e-4 };
  const body = { action: "set", run_id: id, values, reason: "试一试更小的" } as const;
  await house.client.call(controlTraining, { body });
  await until("the change is in force", async () => {
    const run = await house.run(id);
    return run.metrics["train/learning_rate"] === values.learning_rate;
  });
  await house.client.call(controlTraining, { body: { action: "stop", run_id: id } });
  await house.untilState(id, "stopped");
  return id;
}

/** A program that holds all of the machine and takes none of it. */
async function sleeper({ client }: House): Promise<number> {
  const config = { command: ["sleep", "900"] };
  const body = { recipe: "command" as const, name: "sleeper", config };
  return (await client.call(createRun, { body })).id;
}
