// Decides which binding a key press belongs to; sequences such as `g h` remember their first key. Pure.

export interface KeyBinding {
  /** `j`, `?`, `Mod+k`, `Escape`, or a sequence: `g h`. `Mod` is Ctrl, on a Mac ⌘. */
  keys: string;
  /** Where the help lists it: a key of the words. */
  group: string;
  /** What it does: a key of the words. */
  label: string;
  run(event: KeyboardEvent): void;
}

/** What matters of a key press. */
export interface Press {
  key: string;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
  isComposing: boolean;
  /** The press went into a field that takes text. */
  inField: boolean;
}

/** A sequence's first key is forgotten after this long. */
export const SEQUENCE_MS = 1_000;

export interface MatchState {
  pending: string | null;
  pendingAt: number;
}

/** @returns the binding to run, and what is remembered for the next press. */
export function matchPress(
  press: Press,
  bindings: readonly KeyBinding[],
  state: MatchState,
  now: number,
): { binding: KeyBinding | null; state: MatchState } {
  const none = { pending: null, pendingAt: 0 };
  if (press.isComposing || press.key === "Process") return { binding: null, state: none };
  const name = nameOf(press);
  const isSingle = !name.startsWith("Mod+") && name !== "Escape";
  if (isSingle && press.inField) return { binding: null, state: none };
  const started = state.pending !== null && now - state.pendingAt <= SEQUENCE_MS;
  if (started) {
    const sequence = newest(bindings, `${state.pending} ${name}`);
    if (sequence !== null) return { binding: sequence, state: none };
  }
  const single = newest(bindings, name);
  if (single !== null) return { binding: single, state: none };
  const begins = bindings.some((binding) => binding.keys.startsWith(`${name} `));
  return { binding: null, state: begins ? { pending: name, pendingAt: now } : none };
}

/** The page that came last wins, so that a page can use a key that the shell uses elsewhere. */
function newest(bindings: readonly KeyBinding[], keys: string): KeyBinding | null {
  return bindings.findLast((binding) => binding.keys === keys) ?? null;
}

function nameOf(press: Press): string {
  const modifier = press.ctrlKey || press.metaKey ? "Mod+" : press.altKey ? "Alt+" : "";
  const key = press.key.length === 1 && modifier !== "" ? press.key.toLowerCase() : press.key;
  return modifier + key;
}
