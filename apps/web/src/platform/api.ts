// The one typed client of the pages, and the one place that notices that the session has ended.
import { HttpClient } from "@spotter/client";

type Listener = () => void;
const signedOutListeners = new Set<Listener>();

/** Tells when a call was refused because nobody is signed in any more. */
export function onSignedOut(listener: Listener): () => void {
  signedOutListeners.add(listener);
  return () => signedOutListeners.delete(listener);
}

// Wrong credentials are answered with 401 too; these pages handle that themselves.
const SIGN_IN_PATHS = ["/api/auth/sign-in", "/api/auth/setup", "/api/auth/register"];

async function watchedFetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
  const response = await fetch(input, init);
  const path = new URL(response.url || String(input), location.href).pathname;
  if (response.status === 401 && !SIGN_IN_PATHS.includes(path))
    for (const listener of signedOutListeners) listener();
  return response;
}

/**
 * @example const page = await api.call(listRuns, { query: { limit: "50" } });
 */
export const api = new HttpClient({ baseUrl: "", fetch: watchedFetch });
