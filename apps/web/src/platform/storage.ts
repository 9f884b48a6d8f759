// What this browser remembers: small preferences, never anything that the server should own.

/** Storage can be forbidden (private windows, strict settings); then nothing is remembered and everything works. */
export function readStored<T>(key: string, fallback: T): T {
  try {
    const text = localStorage.getItem(`spotter.${key}`);
    return text === null ? fallback : (JSON.parse(text) as T);
  } catch {
    return fallback;
  }
}

export function writeStored(key: string, value: unknown): void {
  try {
    localStorage.setItem(`spotter.${key}`, JSON.stringify(value));
  } catch (error) {
    console.info("This browser keeps no preferences:", error);
  }
}
