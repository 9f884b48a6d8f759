// What the person may change here: members make rules, administrators of a project manage its targets.
import { Role } from "@spotter/contract";
import { computed, reactive } from "vue";
import { useSession } from "../auth/use-session.ts";
import { useProjects } from "../projects/use-projects.ts";

const RANK: Record<Role, number> = { viewer: 1, member: 2, admin: 3 };

export function useRights() {
  const session = useSession();
  const projects = useProjects();

  function holds(role: Role, projectId: number): boolean {
    const held = projects.projects.find((project) => project.id === projectId)?.role;
    return session.isAdmin || (held !== undefined && RANK[held] >= RANK[role]);
  }
  /** Where something new may go, the chosen project first. */
  const projectsFor = (role: Role) => {
    const open = projects.open.filter(({ id }) => holds(role, id));
    return [...open].sort(
      (one, other) => Number(other.id === projects.chosenId) - Number(one.id === projects.chosenId),
    );
  };
  return reactive({
    forRules: computed(() => projectsFor(Role.enum.member)),
    forTargets: computed(() => projectsFor(Role.enum.admin)),
    mayWrite: computed(() => projectsFor(Role.enum.member).length > 0),
    mayManage: computed(() => projectsFor(Role.enum.admin).length > 0),
    mayWriteIn: (projectId: number) => holds(Role.enum.member, projectId),
    mayManageIn: (projectId: number) => holds(Role.enum.admin, projectId),
  });
}
