// Projects and the server itself: small reads that programs need.
import { getSystemInfo, listProjects, type Project, type SystemInfo } from "@spotter/contract";
import type { HttpClient } from "./http.ts";

/** The projects that the person is in. */
export async function fetchProjects(client: HttpClient): Promise<Project[]> {
  return (await client.call(listProjects, {})).projects;
}

/** What the server is and has. */
export function fetchSystemInfo(client: HttpClient): Promise<SystemInfo> {
  return client.call(getSystemInfo, {});
}
