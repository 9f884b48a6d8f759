// Turns what people type into ids: a run's number, a project's name.
import { fetchProjects, type HttpClient } from "@spotter/client";
import { UsageProblem } from "./exit-codes.ts";

/** @throws UsageProblem */
export function runIdOf(text: string): number {
  const digits = text.replace(/^#/, "");
  if (!/^[1-9][0-9]{0,14}$/.test(digits)) throw new UsageProblem(`"${text}" is no run number.`);
  return Number(digits);
}

/** A model version's id, with or without the v that tells it from a run's number. @throws UsageProblem */
export function versionIdOf(text: string): number {
  const digits = text.replace(/^v/i, "");
  if (!/^[1-9][0-9]{0,14}$/.test(digits))
    throw new UsageProblem(`"${text}" is no model version; write v7.`);
  return Number(digits);
}

/** By name or number; undefined when none is asked for. */
export async function projectIdOf(
  client: HttpClient,
  text: string | undefined,
): Promise<number | undefined> {
  if (text === undefined) return undefined;
  const projects = await fetchProjects(client);
  const found =
    projects.find(({ name }) => name.toLowerCase() === text.toLowerCase()) ??
    projects.find(({ id }) => String(id) === text);
  if (found !== undefined) return found.id;
  const names = projects.map(({ name }) => name).join(", ");
  throw new UsageProblem(`There is no project "${text}"; yours are: ${names || "none"}.`);
}
