// Which values of the environment no stored log line may hold; the worker has the same rule in secrecy.py.
const SECRET_WORD =
  /(TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIALS?|KEY|DSN)S?$|^(PAT|PASS)$/;
/** A place where a secret lies is none. */
const NO_SECRET_END = /_(FILE|PATH|DIR|URL|ENDPOINT)$/;
const ADDRESS_WITH_PASSWORD = /^[a-z][a-z0-9+.-]*:\/\/[^/@\s]*:([^/@\s]+)@/i;
/** Shorter ones stand in other words. */
const MIN_SECRET = 8;

/** The longest first, as one may hold another. */
export function secretValues(environment: Readonly<Record<string, string | undefined>>): string[] {
  const found = new Set<string>();
  for (const [name, value = ""] of Object.entries(environment)) {
    if (hasSecretName(name)) for (const line of value.split("\n")) found.add(line.trim());
    else found.add(ADDRESS_WITH_PASSWORD.exec(value)?.[1] ?? "");
  }
  return [...found]
    .filter((secret) => secret.length >= MIN_SECRET)
    .sort((a, b) => b.length - a.length);
}

export function redact(text: string, secrets: readonly string[]): string {
  return secrets.reduce((shown, secret) => shown.replaceAll(secret, "[redacted]"), text);
}

function hasSecretName(name: string): boolean {
  const upper = name.toUpperCase();
  return !NO_SECRET_END.test(upper) && upper.split("_").some((word) => SECRET_WORD.test(word));
}
