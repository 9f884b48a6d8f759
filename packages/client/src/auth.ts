// Signing in from programs, and the person's API tokens.
import {
  type ApiToken,
  createToken,
  getMe,
  listTokens,
  type Me,
  revokeToken,
  signInForToken,
} from "@spotter/contract";
import type { z } from "zod";
import type { HttpClient } from "./http.ts";

/** Who is signed in, and how. */
export function whoAmI(client: HttpClient): Promise<z.infer<typeof Me>> {
  return client.call(getMe, {});
}

/**
 * Exchanges name and password for an API token.
 * @example const { secret } = await fetchToken(client, { name: "mei", password, token_name: "laptop" });
 */
export function fetchToken(
  client: HttpClient,
  credentials: { name: string; password: string; token_name: string },
): Promise<{ token: ApiToken; secret: string }> {
  return client.call(signInForToken, { body: credentials });
}

/** The person's tokens, revoked ones too. */
export async function fetchTokens(client: HttpClient): Promise<ApiToken[]> {
  return (await client.call(listTokens, {})).tokens;
}

/** Makes a token; its secret is in this answer and never again. */
export function addToken(
  client: HttpClient,
  name: string,
  expiresInDays: number | null = null,
): Promise<{ token: ApiToken; secret: string }> {
  return client.call(createToken, { body: { name, expires_in_days: expiresInDays } });
}

/** Revokes one of the person's tokens. */
export async function dropToken(client: HttpClient, tokenId: number): Promise<void> {
  await client.call(revokeToken, { params: { token_id: tokenId } });
}
