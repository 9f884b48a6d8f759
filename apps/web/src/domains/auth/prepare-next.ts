// Where a person goes after signing in, and without an account. Pure.
import type { ServerFacts } from "@spotter/contract";

/** Only addresses of our own pages: a link must not send people elsewhere after they typed their password. */
export function safeNext(next: unknown): string {
  if (typeof next !== "string") return "/";
  const isOwn = next.startsWith("/") && !next.startsWith("//") && !next.includes("\\");
  return isOwn && !next.startsWith("/sign-in") ? next : "/";
}

/** What is wrong with a new password, as a key of the words; null when it will do. */
export function passwordProblem(name: string, password: string, repeated: string): string | null {
  if (password.length < 10) return "auth.passwordShort";
  if (password.toLowerCase() === name.trim().toLowerCase()) return "auth.passwordIsName";
  if (password !== repeated) return "auth.passwordsDiffer";
  return null;
}

/** What the sign-in page tells people without an account: SPOTTER_REGISTRATION says whether it speaks of one at all. */
export function newcomerHint(
  facts: Pick<ServerFacts, "setup_needed" | "registration"> | null,
): "setup" | "register" | "invitation" | null {
  if (facts === null) return null;
  if (facts.setup_needed) return "setup";
  if (facts.registration === "open") return "register";
  return facts.registration === "invitation" ? "invitation" : null;
}
