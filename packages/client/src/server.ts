// Projects, the queue and the server itself: small reads that programs need.
import {
  getQueue,
  getSystemInfo,
  listProjects,
  type Project,
  type QueueView,
  type SystemInfo,
} from "@spotter/contract";
import type { HttpClient } from "./http.ts";

/** The projects that the person is in. */
export async function fetchProjects(client: HttpClient): Promise<Project[]> {
  return (await client.call(listProjects, {})).projects;
}

/** What runs and what waits, in order. */
export function fetchQueue(client: HttpClient): Promise<QueueView> {
  return client.call(getQueue, {});
}

/** What the server is and has. */
export function fetchSystemInfo(client: HttpClient): Promise<SystemInfo> {
  return client.call(getSystemInfo, {});
}
