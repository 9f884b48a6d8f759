// One valid call of every endpoint, for the tests that walk all routes. A new endpoint without one fails them.
import { type AnyEndpoint, endpoints } from "@spotter/contract";

export interface SampleCall {
  readonly params?: Readonly<Record<string, string | number>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** Ids of things that exist when the calls are made. */
export interface SampleIds {
  readonly runId: number;
  readonly projectId: number;
  readonly userId: number;
  readonly preflightId?: number;
  readonly datasetId?: number;
  readonly datasetVersionId?: number;
  readonly modelId?: number;
  readonly modelVersionId?: number;
  readonly comparisonId?: number;
  readonly alertRuleId?: number;
  readonly alertTargetId?: number;
  readonly alertDeliveryId?: number;
}

/** Of a thing that is not there. */
const NONE = 999_999;

const sha256 = "0".repeat(64);
const password = "a long enough password";

export function sampleCalls(ids: SampleIds): Record<string, SampleCall> {
  const { runId, projectId, userId } = ids;
  const preflight = { params: { job_id: ids.preflightId ?? NONE } };
  const model = { params: { model_id: ids.modelId ?? NONE } };
  const version = { params: { version_id: ids.modelVersionId ?? NONE } };
  const comparison = { params: { comparison_id: ids.comparisonId ?? NONE } };
  const run = { params: { run_id: runId } };
  const job = { params: { job_id: runId } };
  const project = { params: { project_id: projectId } };
  const alertRule = { params: { rule_id: ids.alertRuleId ?? NONE } };
  const alertTarget = { params: { target_id: ids.alertTargetId ?? NONE } };
  const target = { name: "walked", kind: "webhook", url: "https://example.org/hook" };
  const member = { params: { project_id: projectId, user_id: userId } };
  const batch = {
    protocol: 1,
    attempt: 1,
    seq: 1,
    events: [{ type: "metric-points", series: {} }],
  };
  return {
    "get-health": {},
    "get-system-info": {},
    "get-api-reference": {},
    "get-server-facts": {},
    "get-me": {},
    "update-me": { body: { display_name: "Somebody" } },
    setup: { body: { name: "someone", password, setup_token: "spa_wrong" } },
    "sign-in": { body: { name: "nobody", password } },
    "sign-out": {},
    register: { body: { name: "newcomer", password } },
    "change-password": { body: { current_password: "wrong", new_password: password } },
    "sign-in-for-token": { body: { name: "nobody", password, token_name: "test" } },
    "list-tokens": {},
    "create-token": { body: { name: "test" } },
    "revoke-token": { params: { token_id: 999_999 } },
    "list-users": {},
    "create-user": { body: { name: "created", password } },
    "update-user": { params: { user_id: userId }, body: { disabled: false } },
    "list-invitations": {},
    "create-invitation": { body: { project_id: projectId, role: "viewer" } },
    "revoke-invitation": { params: { invitation_id: 999_999 } },
    "list-audit": {},
    "list-projects": {},
    "create-project": { body: { name: "Created" } },
    "update-project": { ...project, body: { description: "changed" } },
    "list-members": project,
    "set-member": { ...member, body: { role: "viewer" } },
    "remove-member": { params: { project_id: projectId, user_id: 999_999 } },
    "get-queue": {},
    "reorder-queue": { body: { job_ids: [runId] } },
    "cancel-queued": { body: { job_ids: [runId] } },
    "set-job-priority": { ...job, body: { priority: 0 } },
    "get-job": job,
    "get-job-spec": job,
    "send-worker-events": { ...job, body: batch },
    "poll-commands": { ...job, query: { attempt: "1" } },
    "put-worker-file": { params: { job_id: runId, sha256 } },
    "list-recipes": {},
    "create-run": { body: { project_id: projectId, name: "made by the walk" } },
    "list-runs": {},
    "list-run-metric-names": {},
    "get-run": run,
    "update-run": { ...run, body: { note: "changed" } },
    "delete-run": { params: { run_id: runId } },
    "restore-run": run,
    "resume-run": run,
    "preview-forks": { ...run, body: {} },
    "create-forks": { ...run, body: { seeds: 2 } },
    "get-lineage": run,
    "send-run-events": { ...run, body: batch },
    "list-run-logs": run,
    "list-run-files": run,
    "download-run-file": { params: { run_id: runId, file_id: 999_999 } },
    "upload-run-file": { ...run, query: { path: "artifacts/a.txt" } },
    "list-run-commands": run,
    "get-run-values": run,
    "control-training": { body: { action: "stop", run_id: runId } },
    "start-preflight": { body: { recipe: "vision", project_id: projectId } },
    "get-preflight": preflight,
    "cancel-preflight": preflight,
    "predict-with-run": { ...run, body: { test_samples: 1 } },
    "list-datasets": {},
    "get-dataset": { params: { dataset_id: ids.datasetId ?? NONE } },
    "preview-dataset-version": { params: { version_id: ids.datasetVersionId ?? NONE } },
    "upload-dataset": { query: { name: "uploaded", project_id: String(projectId) } },
    "list-models": {},
    "get-model": model,
    "update-model": { ...model, body: { name: "renamed" } },
    "list-model-versions": model,
    "create-model-version": { ...model, body: { run_id: runId } },
    "roll-back-model": model,
    "list-model-metric-names": {},
    "find-model-versions": { query: { metric: "test/accuracy", min: "0.5" } },
    "register-model-version": { body: { run_id: runId } },
    "get-model-version": version,
    "update-model-version": { ...version, body: { note: "changed" } },
    "delete-model-version": version,
    "restore-model-version": version,
    "download-model-version": version,
    "predict-with-model-version": { ...version, body: { test_samples: 1 } },
    "compare-runs": { query: { runs: String(runId) } },
    "export-comparison": { query: { runs: String(runId), format: "csv" } },
    "list-comparisons": {},
    "create-comparison": { body: { name: "made by the walk", run_ids: [runId] } },
    "get-comparison": comparison,
    "update-comparison": { ...comparison, body: { name: "renamed" } },
    "delete-comparison": comparison,
    "list-metric-names": run,
    "query-series": { body: { requests: [{ run_id: runId, names: ["train/loss"] }] } },
    "get-series": { ...run, query: { name: "train/loss" } },
    "list-points": { ...run, query: { name: "train/loss" } },
    "export-series-csv": { ...run, query: { name: "train/loss" } },
    "poll-metrics": { ...run, query: { commit_no: "0" } },
    "list-metrics-doors": {},
    "get-current-metrics": { query: { run_id: String(runId) } },
    "get-metrics-history": { query: { run_id: String(runId) } },
    "stream-metrics": { query: { run_id: String(runId) } },
    "metrics-socket": { query: { run_id: String(runId) } },
    "job-metrics-socket": job,
    "open-stream": { query: { runs: String(runId) } },
    "list-alerts": {},
    "mark-alerts-read": { body: { up_to: 1 } },
    "list-alert-rules": {},
    "create-alert-rule": {
      body: {
        ...{ project_id: projectId, name: "walked" },
        condition: { kind: "state", states: ["failed"] },
      },
    },
    "update-alert-rule": { ...alertRule, body: { name: "renamed" } },
    "delete-alert-rule": alertRule,
    "list-alert-targets": {},
    "create-alert-target": { body: { ...target, project_id: projectId } },
    "update-alert-target": { ...alertTarget, body: { name: "renamed" } },
    "renew-alert-secret": alertTarget,
    "test-alert-target": alertTarget,
    "delete-alert-target": alertTarget,
    "list-alert-deliveries": {},
    "send-alert-delivery": { params: { delivery_id: ids.alertDeliveryId ?? NONE } },
    "list-tensorboard-folders": {},
    "follow-tensorboard-folder": { body: { path: "/nowhere", project_id: projectId } },
    "unfollow-tensorboard-folder": { params: { folder_id: 999_999 } },
  };
}

/** Every endpoint of the contract with its sample; throws for one that has none. */
export function everyCall(ids: SampleIds): { endpoint: AnyEndpoint; call: SampleCall }[] {
  const samples = sampleCalls(ids);
  return endpoints.map((endpoint) => {
    const call = samples[endpoint.name];
    if (call === undefined) throw new Error(`test/sample-calls.ts has no call of ${endpoint.name}`);
    return { endpoint, call };
  });
}

/** The address of a call below a server's. */
export function addressOf(baseUrl: string, endpoint: AnyEndpoint, call: SampleCall): string {
  const path = endpoint.path.replace(/:([a-z0-9_]+)/g, (_, key: string) =>
    encodeURIComponent(String(call.params?.[key])),
  );
  const query = new URLSearchParams(call.query).toString();
  return `${baseUrl}${path}${query === "" ? "" : `?${query}`}`;
}

/** Makes a call; a stream's answer is its status only. */
export async function makeCall(
  baseUrl: string,
  endpoint: AnyEndpoint,
  call: SampleCall,
  headers: Record<string, string> = {},
): Promise<{ status: number; code: string | null }> {
  const hasBody = call.body !== undefined;
  const abort = new AbortController();
  const response = await fetch(addressOf(baseUrl, endpoint, call), {
    method: endpoint.method,
    headers: { ...(hasBody ? { "content-type": "application/json" } : {}), ...headers },
    body: hasBody ? JSON.stringify(call.body) : null,
    signal: abort.signal,
  });
  if (response.ok && endpoint.stream !== undefined) {
    abort.abort();
    return { status: response.status, code: null };
  }
  const text = await response.text();
  const answer = text.startsWith("{") ? (JSON.parse(text) as { error?: { code?: string } }) : {};
  return { status: response.status, code: answer.error?.code ?? null };
}
