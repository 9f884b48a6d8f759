// The page's keyboard: parts of it register bindings while they are shown; one listener serves all.
import { onScopeDispose, shallowRef } from "vue";
import { type KeyBinding, type MatchState, matchPress } from "./match-keys.ts";

export type { KeyBinding } from "./match-keys.ts";

const registered = shallowRef<readonly KeyBinding[]>([]);
let state: MatchState = { pending: null, pendingAt: 0 };
let isListening = false;

/** All bindings that work now, for the help. */
export const activeBindings = registered;

/**
 * Registers bindings for as long as the calling component lives.
 * @example useKeys([{ keys: "n", group: "keys.runs", label: "keys.newTraining", run: openForm }]);
 */
export function useKeys(bindings: readonly KeyBinding[]): void {
  listen();
  registered.value = [...registered.value, ...bindings];
  onScopeDispose(() => {
    registered.value = registered.value.filter((binding) => !bindings.includes(binding));
  });
}

function listen(): void {
  if (isListening) return;
  isListening = true;
  document.addEventListener("keydown", (event) => {
    const press = {
      key: event.key,
      ctrlKey: event.ctrlKey,
      metaKey: event.metaKey,
      altKey: event.altKey,
      isComposing: event.isComposing,
      inField: takesText(event.target),
    };
    const result = matchPress(press, registered.value, state, performance.now());
    state = result.state;
    if (result.binding === null || event.defaultPrevented) return;
    event.preventDefault();
    result.binding.run(event);
  });
}

function takesText(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target instanceof HTMLTextAreaElement) return true;
  if (target instanceof HTMLSelectElement) return true;
  return (
    target instanceof HTMLInputElement && !["checkbox", "radio", "button"].includes(target.type)
  );
}
