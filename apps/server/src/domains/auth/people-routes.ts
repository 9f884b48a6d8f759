// HTTP of accounts, invitations and the audit log, for the server's administrator.
import {
  createInvitation,
  createUser,
  listAudit,
  listInvitations,
  listUsers,
  revokeInvitation,
  updateUser,
} from "@spotter/contract";
import type { Router } from "../../platform/route.ts";
import type { AuditStore } from "./audit-store.ts";
import type { PeopleService } from "./people.ts";

export function registerPeopleRoutes(
  router: Router,
  people: PeopleService,
  audit: AuditStore,
): void {
  router.signedIn(listUsers, async () => ({ users: await people.users() }));
  router.signedIn(createUser, ({ caller, body, request }) =>
    people.createUser(caller, body, request.ip),
  );
  router.signedIn(updateUser, ({ caller, params, body, request }) =>
    people.updateUser(caller, Number(params.user_id), body, request.ip),
  );
  router.signedIn(listInvitations, async () => ({ invitations: await people.invitations() }));
  router.signedIn(createInvitation, ({ caller, body, request }) =>
    people.invite(caller, body, request.ip),
  );
  router.signedIn(revokeInvitation, async ({ caller, params, request }) => {
    await people.revokeInvitation(caller, Number(params.invitation_id), request.ip);
    return { done: true as const };
  });
  router.signedIn(listAudit, ({ query }) =>
    audit.page({
      limit: Number(query.limit),
      ...(query.before === undefined ? {} : { before: Number(query.before) }),
      ...(query.action === undefined ? {} : { action: query.action }),
      ...(query.user_id === undefined ? {} : { userId: Number(query.user_id) }),
    }),
  );
}
