// What the palette can do: pages offer commands while they are shown.
import { onScopeDispose, shallowRef } from "vue";

export interface Command {
  id: string;
  /** Where it ranks: what can be done here first, then things, then settings. */
  kind: "action" | "object" | "setting";
  title: string;
  /** More words that find it, in any language. */
  keywords?: string;
  hint?: string;
  keys?: string;
  run(): void;
}
type Source = () => Command[];

const sources = shallowRef<readonly Source[]>([]);

/**
 * Offers commands for as long as the calling component lives; read anew each time the palette opens.
 * @example useCommands(() => [{ id: "pause", kind: "action", title: t("run.pause"), run: pause }]);
 */
export function useCommands(source: Source): void {
  sources.value = [...sources.value, source];
  onScopeDispose(() => {
    sources.value = sources.value.filter((other) => other !== source);
  });
}

/** The newest page's commands first. */
export function offeredCommands(): Command[] {
  return [...sources.value].reverse().flatMap((source) => source());
}
