// Decisions about projects.
import type { CreateProject, Member, Project, Role, UpdateProject } from "@spotter/contract";
import type { z } from "zod";
import type { AuditRecorder } from "../../platform/audit.ts";
import { SpotterError } from "../../platform/errors.ts";
import type { Caller } from "../../platform/route.ts";
import type { ProjectRow, ProjectStore } from "./store.ts";

/** People's roles, as the auth room keeps them. */
export interface ProjectRoles {
  list(projectId: number): Promise<Member[]>;
  set(projectId: number, userId: number, role: Role): Promise<Member>;
  remove(projectId: number, userId: number): Promise<void>;
}

export class ProjectService {
  readonly #store: ProjectStore;
  readonly #now: () => number;

  constructor(store: ProjectStore, now: () => number) {
    this.#store = store;
    this.#now = now;
  }

  /** @throws SpotterError `project-not-found` */
  async require(id: number): Promise<ProjectRow> {
    const row = await this.#store.byId(id);
    if (row === undefined) throw new SpotterError("project-not-found");
    return row;
  }

  /** The project of calls that name none: the oldest that is not archived. */
  async defaultProject(): Promise<number> {
    const rows = await this.#store.all();
    const row = rows.find((candidate) => candidate.archived_at === null) ?? rows[0];
    if (row === undefined) throw new SpotterError("project-not-found");
    return row.id;
  }

  async list(caller: Caller): Promise<Project[]> {
    const rows = await this.#store.all();
    return rows
      .filter((row) => caller.isAdmin || caller.roles.has(row.id))
      .map((row) => toProject(row, caller));
  }

  async create(
    caller: Caller,
    request: z.output<typeof CreateProject>,
    audit: AuditRecorder,
    address: string,
  ): Promise<Project> {
    const row = await this.#store.add({
      name: request.name,
      description: request.description,
      created_at: this.#now(),
      archived_at: null,
    });
    if (row === undefined) throw new SpotterError("project-name-taken");
    await audit.record({
      userId: caller.userId,
      userName: caller.userName,
      action: "project-created",
      subjectKind: "project",
      subjectId: row.id,
      projectId: row.id,
      address,
      details: { name: row.name },
    });
    return toProject(row, caller);
  }

  async update(
    caller: Caller,
    id: number,
    request: z.infer<typeof UpdateProject>,
    audit: AuditRecorder,
    address: string,
  ): Promise<Project> {
    const { archived, ...rest } = request;
    const changes = {
      ...rest,
      ...(archived === undefined ? {} : { archived_at: archived ? this.#now() : null }),
    };
    const row = await this.#store.update(id, changes);
    if (row === "taken") throw new SpotterError("project-name-taken");
    if (row === undefined) throw new SpotterError("project-not-found");
    await audit.record({
      userId: caller.userId,
      userName: caller.userName,
      action: "project-changed",
      subjectKind: "project",
      subjectId: id,
      projectId: id,
      address,
      details: { ...request },
    });
    return toProject(row, caller);
  }
}

function toProject(row: ProjectRow, caller: Caller): Project {
  return { ...row, role: caller.isAdmin ? "admin" : (caller.roles.get(row.id) ?? "viewer") };
}
