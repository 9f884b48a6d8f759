// The keys and commands that work on every page.
import { useI18n } from "vue-i18n";
import { useRouter } from "vue-router";
import { useSession } from "../domains/auth/use-session.ts";
import { type Command, useCommands } from "../platform/commands.ts";
import { type KeyBinding, useKeys } from "../platform/keys/use-keys.ts";
import { usePreferences } from "../platform/preferences.ts";
import { openPalette } from "./palette/use-palette.ts";
import { places } from "./places.ts";
import { settingCommands } from "./setting-commands.ts";

export function useShellKeys(openHelp: () => void): void {
  const router = useRouter();
  const preferences = usePreferences();
  const { t } = useI18n();
  const session = useSession();

  const go: KeyBinding[] = places.map((place) => ({
    keys: `g ${place.key}`,
    group: "keys.go",
    label: place.label,
    run: () => void router.push(place.path),
  }));
  useKeys([
    { keys: "Mod+k", group: "keys.everywhere", label: "keys.palette", run: openPalette },
    { keys: "?", group: "keys.everywhere", label: "keys.help", run: openHelp },
    {
      keys: "[",
      group: "keys.everywhere",
      label: "keys.rail",
      run: () => {
        preferences.railCollapsed = !preferences.railCollapsed;
      },
    },
    {
      keys: "n",
      group: "keys.everywhere",
      label: "keys.newTraining",
      run: () => void router.push("/runs/new"),
    },
    ...go,
  ]);

  useCommands((): Command[] => [
    {
      id: "new-training",
      kind: "action",
      title: t("keys.newTraining"),
      keywords: "train start run",
      keys: "n",
      run: () => void router.push("/runs/new"),
    },
    ...places.map(
      (place): Command => ({
        id: `go-${place.path}`,
        kind: "action",
        title: t("app.palette.go", { place: t(place.label) }),
        keywords: place.path,
        keys: `g ${place.key}`,
        run: () => void router.push(place.path),
      }),
    ),
    ...settingCommands(router, openHelp, t, session.isAdmin),
  ]);
}
