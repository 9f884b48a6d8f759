// States of tokens and invitations.
import type { ApiToken, Invitation, User } from "@spotter/contract";
import { expect, it } from "vitest";
import { invitationLink, invitationState, outsiders, tokenState } from "./prepare-people.ts";

const token = { revoked_at: null, expires_at: null } as ApiToken;
const invitation = { used_by: null, revoked_at: null, expires_at: 100 } as Invitation;

it("tells valid tokens from revoked and expired ones", () => {
  expect(tokenState(token, 50)).toBe("valid");
  expect(tokenState({ ...token, expires_at: 40 }, 50)).toBe("expired");
  expect(tokenState({ ...token, expires_at: 40, revoked_at: 30 }, 50)).toBe("revoked");
});

it("tells open invitations from all others", () => {
  expect(invitationState(invitation, 50)).toBe("open");
  expect(invitationState(invitation, 150)).toBe("expired");
  expect(invitationState({ ...invitation, used_by: 2 }, 150)).toBe("used");
  expect(invitationState({ ...invitation, revoked_at: 20 }, 50)).toBe("revoked");
});

it("makes a link that survives odd characters", () => {
  expect(invitationLink("http://x", "a+b/c")).toBe("http://x/register?invitation=a%2Bb%2Fc");
});

it("offers only people who are not in and not disabled", () => {
  const users = [{ id: 1 }, { id: 2 }, { id: 3 }].map(
    (user) => ({ ...user, disabled_at: user.id === 3 ? 1 : null }) as User,
  );
  expect(outsiders(users, [1]).map((user) => user.id)).toEqual([2]);
});
