// Projects: every run belongs to one, and roles are held in one.
import { z } from "zod";
import { Role } from "./auth.ts";
import { defineEndpoint } from "./endpoint.ts";
import { Done, Id, IdText, Title, UnixTime } from "./scalars.ts";

export const Project = z.object({
  id: Id,
  name: z.string(),
  description: z.string(),
  created_at: UnixTime,
  archived_at: UnixTime.nullable(),
  /** The caller's role. */
  role: Role,
});
export type Project = z.infer<typeof Project>;

const ProjectParams = z.object({ project_id: IdText });

export const listProjects = defineEndpoint({
  domain: "projects",
  name: "list-projects",
  method: "GET",
  path: "/api/projects",
  access: "signed-in",
  summary: "The projects that you are in.",
  response: z.object({ projects: z.array(Project) }),
});
export const CreateProject = z
  .object({ name: Title, description: z.string().max(2000).default("") })
  .strict();
export const createProject = defineEndpoint({
  domain: "projects",
  name: "create-project",
  method: "POST",
  path: "/api/projects",
  access: "server-admin",
  summary: "Create a project.",
  body: CreateProject,
  response: Project,
  status: 201,
});
export const UpdateProject = z
  .object({
    name: Title.optional(),
    description: z.string().max(2000).optional(),
    archived: z.boolean().optional(),
  })
  .strict();
export const updateProject = defineEndpoint({
  domain: "projects",
  name: "update-project",
  method: "PATCH",
  path: "/api/projects/:project_id",
  access: "project-admin",
  summary: "Rename, describe or archive a project.",
  params: ProjectParams,
  body: UpdateProject,
  response: Project,
});

export const Member = z.object({
  user_id: Id,
  name: z.string(),
  display_name: z.string(),
  role: Role,
  since: UnixTime,
});
export type Member = z.infer<typeof Member>;
export const listMembers = defineEndpoint({
  domain: "projects",
  name: "list-members",
  method: "GET",
  path: "/api/projects/:project_id/members",
  access: "project-viewer",
  summary: "The people of a project.",
  params: ProjectParams,
  response: z.object({ members: z.array(Member) }),
});
const MemberParams = z.object({ project_id: IdText, user_id: IdText });
export const setMember = defineEndpoint({
  domain: "projects",
  name: "set-member",
  method: "PUT",
  path: "/api/projects/:project_id/members/:user_id",
  access: "project-admin",
  summary: "Give a person a role in a project.",
  params: MemberParams,
  body: z.object({ role: Role }).strict(),
  response: Member,
});
export const removeMember = defineEndpoint({
  domain: "projects",
  name: "remove-member",
  method: "DELETE",
  path: "/api/projects/:project_id/members/:user_id",
  access: "project-admin",
  summary: "Take a person out of a project.",
  params: MemberParams,
  response: Done,
});
