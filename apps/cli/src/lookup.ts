// Turns what people type into ids: a run's number, a model version, a model's or a project's name.
import {
  fetchModels,
  fetchModelVersions,
  fetchProjects,
  fetchVersionsOf,
  type HttpClient,
} from "@spotter/client";
import { ModelStage } from "@spotter/contract";
import { NotThereProblem, UsageProblem } from "./exit-codes.ts";

/** @throws UsageProblem */
export function runIdOf(text: string): number {
  const digits = text.replace(/^#/, "");
  if (!/^[1-9][0-9]{0,14}$/.test(digits)) throw new UsageProblem(`"${text}" is no run number.`);
  return Number(digits);
}

const VERSION_ID = /^(id)?[1-9][0-9]{0,14}$/i;
/** As the pages write a version beside its model's name; alone it says nothing. */
const NUMBER_ALONE = /^v[1-9][0-9]{0,14}$/i;

/** Whether a word means a model version where it could be a run: `vision-digits@2`, or `id7`. */
export function meansVersion(text: string): boolean {
  return text.includes("@") || NUMBER_ALONE.test(text) || /^id[1-9]/i.test(text);
}

/**
 * A model version's id: from a model's name and the version's number there (`vision-digits@2`), from a name and a
 * stage (`vision-digits@production`), or from the id itself (`7`, `id7`).
 * @throws UsageProblem, NotThereProblem
 */
export async function versionIdOf(client: HttpClient, text: string): Promise<number> {
  if (VERSION_ID.test(text)) return Number(text.replace(/^id/i, ""));
  if (NUMBER_ALONE.test(text))
    throw new UsageProblem(
      `"${text}" does not say of which model: write name@${text.slice(1)}, or the id that "spotter models" lists.`,
    );
  const at = text.lastIndexOf("@");
  if (at < 1)
    throw new UsageProblem(
      `"${text}" is no model version; write name@2, or name@production, or its id.`,
    );
  const [name, wanted] = [text.slice(0, at), text.slice(at + 1)];
  const stage = ModelStage.safeParse(wanted);
  const number = wanted.replace(/^v/i, "");
  if (!stage.success && !/^[1-9][0-9]{0,14}$/.test(number))
    throw new UsageProblem(`"${wanted}" in "${text}" is neither a version's number nor a stage.`);
  const query = stage.success ? { stage: stage.data } : { version: number };
  const model = namedAs(name, await fetchModels(client));
  const page = model === undefined ? null : await fetchVersionsOf(client, model.id, query);
  const found = page?.versions[0];
  if (found !== undefined) return found.id;
  // A model whose versions are all deleted is not listed any more; what can be restored is still there.
  if (!stage.success && (await deletedVersion(client, name, number)) !== null)
    throw new NotThereProblem(
      `${name}@${number} is deleted; "spotter models restore ${name}@${number}" brings it back.`,
    );
  if (model === undefined) await modelIdOf(client, name);
  throw new NotThereProblem(
    stage.success ? `No version of ${name} is in ${wanted}.` : `${name} has no version ${number}.`,
  );
}

/** A version that may be deleted, named like any other. @throws UsageProblem, NotThereProblem */
export async function restorableIdOf(client: HttpClient, text: string): Promise<number> {
  const [, name = "", number = ""] = /^(.+)@v?([1-9][0-9]{0,14})$/i.exec(text) ?? [];
  const deleted = name === "" ? null : await deletedVersion(client, name, number);
  return deleted ?? versionIdOf(client, text);
}

async function deletedVersion(
  client: HttpClient,
  name: string,
  number: string,
): Promise<number | null> {
  const query = { deleted: "true", version: number, limit: "500" } as const;
  const { versions } = await fetchModelVersions(client, query);
  const found = versions.find(
    (version) =>
      version.name.toLowerCase() === name.toLowerCase() || String(version.model_id) === name,
  );
  return found?.id ?? null;
}

/** A model by name or number. @throws NotThereProblem */
export async function modelIdOf(client: HttpClient, text: string): Promise<number> {
  const models = await fetchModels(client);
  const found = namedAs(text, models);
  if (found !== undefined) return found.id;
  const names = models.map(({ name }) => name).join(", ");
  throw new NotThereProblem(`There is no model "${text}"; there are: ${names || "none"}.`);
}

function namedAs<T extends { readonly id: number; readonly name: string }>(
  text: string,
  all: readonly T[],
): T | undefined {
  return (
    all.find(({ name }) => name.toLowerCase() === text.toLowerCase()) ??
    all.find(({ id }) => String(id) === text)
  );
}

/** By name or number; undefined when none is asked for. @throws NotThereProblem */
export async function projectIdOf(
  client: HttpClient,
  text: string | undefined,
): Promise<number | undefined> {
  if (text === undefined) return undefined;
  const projects = await fetchProjects(client);
  const found = namedAs(text, projects);
  if (found !== undefined) return found.id;
  const names = projects.map(({ name }) => name).join(", ");
  throw new NotThereProblem(`There is no project "${text}"; yours are: ${names || "none"}.`);
}
