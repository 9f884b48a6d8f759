// States of tokens and invitations, and the links that invitations are. Pure.
import type { ApiToken, Invitation, User } from "@spotter/contract";

export function tokenState(token: ApiToken, now: number): "valid" | "revoked" | "expired" {
  if (token.revoked_at !== null) return "revoked";
  return token.expires_at !== null && token.expires_at <= now ? "expired" : "valid";
}

export function invitationState(
  invitation: Invitation,
  now: number,
): "open" | "used" | "revoked" | "expired" {
  if (invitation.used_by !== null) return "used";
  if (invitation.revoked_at !== null) return "revoked";
  return invitation.expires_at <= now ? "expired" : "open";
}

/** The link that the invited person opens. */
export function invitationLink(origin: string, secret: string): string {
  return `${origin}/register?invitation=${encodeURIComponent(secret)}`;
}

/** People who are not in a project yet and could be. */
export function outsiders(users: readonly User[], memberIds: readonly number[]): User[] {
  return users.filter((user) => user.disabled_at === null && !memberIds.includes(user.id));
}
