// Health, what the server is and has, and the host's own readings.
import { z } from "zod";
import { defineEndpoint } from "./endpoint.ts";
import { UnixTime } from "./scalars.ts";

export const Health = z.object({
  status: z.enum(["ok", "degraded"]),
  version: z.string(),
  time: UnixTime,
  uptime_s: z.number(),
  checks: z.record(z.string(), z.object({ ok: z.boolean(), message: z.string() })),
});
export type Health = z.infer<typeof Health>;

/** One second of the host: percentages 0–100, sizes in GiB, rates in MiB/s. */
export const HostReading = z.object({
  time: UnixTime,
  cpu_percent: z.number(),
  memory_used_gib: z.number(),
  memory_total_gib: z.number(),
  disk_used_gib: z.number(),
  disk_total_gib: z.number(),
  load_1m: z.number(),
  network_receive_mib_s: z.number().nullable(),
  network_send_mib_s: z.number().nullable(),
  gpus: z.array(
    z.object({
      index: z.number().int(),
      name: z.string(),
      utilization_percent: z.number().nullable(),
      memory_used_gib: z.number(),
      memory_total_gib: z.number(),
      temperature_c: z.number().nullable(),
      power_w: z.number().nullable(),
    }),
  ),
});
export type HostReading = z.infer<typeof HostReading>;

export const SystemInfo = z.object({
  version: z.string(),
  started_at: UnixTime,
  node: z.string(),
  platform: z.string(),
  hostname: z.string(),
  cpu_model: z.string(),
  cpu_cores: z.number().int(),
  memory_total_gib: z.number(),
  database: z.enum(["sqlite", "postgres"]),
  data_folder: z.string(),
  python: z.object({
    ready: z.boolean(),
    version: z.string().nullable(),
    torch: z.string().nullable(),
    message: z.string().nullable(),
  }),
  host: HostReading.nullable(),
  data_roots: z.array(z.string()),
  registration: z.enum(["closed", "open", "invitation"]),
  protocol: z.literal(1),
});
export type SystemInfo = z.infer<typeof SystemInfo>;

export const getHealth = defineEndpoint({
  domain: "system",
  name: "get-health",
  method: "GET",
  path: "/api/system/health",
  access: "public",
  summary: "Whether the server and its database work.",
  response: Health,
});

export const getSystemInfo = defineEndpoint({
  domain: "system",
  name: "get-system-info",
  method: "GET",
  path: "/api/system/info",
  access: "signed-in",
  summary: "What the server is, where it keeps its data, and the host's last reading.",
  response: SystemInfo,
});

export const getApiReference = defineEndpoint({
  domain: "system",
  name: "get-api-reference",
  method: "GET",
  path: "/api/docs",
  access: "signed-in",
  summary: "This description of every endpoint, as OpenAPI.",
  stream: "file",
});

/** Public facts that the sign-in page needs. */
export const ServerFacts = z.object({
  version: z.string(),
  setup_needed: z.boolean(),
  registration: z.enum(["closed", "open", "invitation"]),
});
export type ServerFacts = z.infer<typeof ServerFacts>;

export const getServerFacts = defineEndpoint({
  domain: "auth",
  name: "get-server-facts",
  method: "GET",
  path: "/api/auth/facts",
  access: "public",
  summary: "Whether the server still needs its administrator, and how registration works.",
  response: ServerFacts,
});
