// HTTP of signing in and out, one's own account and API tokens.
import {
  changePassword,
  createToken,
  getMe,
  getServerFacts,
  listTokens,
  register,
  revokeToken,
  setup,
  signIn,
  signInForToken,
  signOut,
  updateMe,
} from "@spotter/contract";
import type { FastifyReply } from "fastify";
import type { Router } from "../../platform/route.ts";
import type { AuthService, SignedIn } from "./service.ts";
import { type CookieSettings, clearSessionCookie, setSessionCookie } from "./session-cookie.ts";

export function registerAuthRoutes(
  router: Router,
  auth: AuthService,
  cookie: CookieSettings,
): void {
  const welcome = (reply: FastifyReply, signedIn: SignedIn) => {
    setSessionCookie(reply, signedIn.sessionSecret, cookie);
    return signedIn.me;
  };
  router.public(getServerFacts, () => auth.facts());
  router.public(setup, async ({ body, request, reply }) =>
    welcome(reply, await auth.setup(body, request.ip)),
  );
  router.public(signIn, async ({ body, request, reply }) =>
    welcome(reply, await auth.signIn(body, request.ip)),
  );
  router.public(register, async ({ body, request, reply }) =>
    welcome(reply, await auth.register(body, request.ip)),
  );
  router.public(signInForToken, ({ body, request }) => auth.signInForToken(body, request.ip));
  router.signedIn(signOut, async ({ caller, request, reply }) => {
    await auth.signOut(caller, request.ip);
    clearSessionCookie(reply, cookie);
    return { done: true as const };
  });
  router.signedIn(getMe, ({ caller }) => auth.me(caller.userId, caller.via));
  router.signedIn(updateMe, ({ caller, body }) => auth.updateMe(caller, body));
  router.signedIn(changePassword, async ({ caller, body, request }) => {
    const counts = await auth.changePassword(caller, body, request.ip);
    return { done: true as const, ...counts };
  });
  router.signedIn(listTokens, async ({ caller }) => ({ tokens: await auth.tokens(caller.userId) }));
  router.signedIn(createToken, ({ caller, body, request }) =>
    auth.createToken(caller, body, request.ip),
  );
  router.signedIn(revokeToken, async ({ caller, params, request }) => {
    await auth.revokeToken(caller, Number(params.token_id), request.ip);
    return { done: true as const };
  });
}
