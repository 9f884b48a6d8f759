// HTTP of projects and their people.
import {
  createProject,
  listMembers,
  listProjects,
  removeMember,
  setMember,
  updateProject,
} from "@spotter/contract";
import type { AuditRecorder } from "../../platform/audit.ts";
import type { Router } from "../../platform/route.ts";
import type { ProjectRoles, ProjectService } from "./service.ts";

export function registerProjectRoutes(
  router: Router,
  projects: ProjectService,
  roles: ProjectRoles,
  audit: AuditRecorder,
): void {
  const projectOf = async ({ params }: { params: { project_id: string } }) =>
    (await projects.require(Number(params.project_id))).id;

  router.signedIn(listProjects, async ({ caller }) => ({ projects: await projects.list(caller) }));
  router.signedIn(createProject, ({ caller, body, request }) =>
    projects.create(caller, body, audit, request.ip),
  );
  router.inProject(updateProject, projectOf, ({ caller, params, body, request }) =>
    projects.update(caller, Number(params.project_id), body, audit, request.ip),
  );
  router.inProject(listMembers, projectOf, async ({ params }) => ({
    members: await roles.list(Number(params.project_id)),
  }));
  router.inProject(setMember, projectOf, async ({ caller, params, body, request }) => {
    const projectId = Number(params.project_id);
    const userId = Number(params.user_id);
    const member = await roles.set(projectId, userId, body.role);
    await audit.record({
      userId: caller.userId,
      userName: caller.userName,
      action: "member-set",
      subjectKind: "user",
      subjectId: userId,
      projectId,
      address: request.ip,
      details: { role: body.role },
    });
    return member;
  });
  router.inProject(removeMember, projectOf, async ({ caller, params, request }) => {
    const projectId = Number(params.project_id);
    const userId = Number(params.user_id);
    await roles.remove(projectId, userId);
    await audit.record({
      userId: caller.userId,
      userName: caller.userName,
      action: "member-removed",
      subjectKind: "user",
      subjectId: userId,
      projectId,
      address: request.ip,
    });
    return { done: true as const };
  });
}
