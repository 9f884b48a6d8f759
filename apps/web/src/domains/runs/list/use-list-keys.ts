// The list's keys: j and k move, x selects, c compares, Enter opens, / filters, Escape clears.
import { useRouter } from "vue-router";
import { useKeys } from "../../../platform/keys/use-keys.ts";
import type { useSelection } from "./use-selection.ts";

export function useListKeys(selection: ReturnType<typeof useSelection>, compare: () => void): void {
  const router = useRouter();
  const group = "keys.list";
  useKeys([
    { keys: "j", group, label: "keys.down", run: () => selection.move(1) },
    { keys: "k", group, label: "keys.up", run: () => selection.move(-1) },
    {
      keys: "x",
      group,
      label: "keys.select",
      run: () => {
        if (selection.current.value !== null) selection.toggle(selection.current.value.id);
      },
    },
    { keys: "c", group, label: "keys.compare", run: compare },
    {
      keys: "Enter",
      group,
      label: "keys.open",
      run: (event) => {
        const run = selection.current.value;
        // Enter on a focused link or button is that link's own.
        if (event.target instanceof HTMLElement && event.target.closest("a, button"))
          event.target.click();
        else if (run !== null) void router.push(`/runs/${run.id}/charts`);
      },
    },
    {
      keys: "/",
      group,
      label: "keys.filter",
      run: () => document.querySelector<HTMLInputElement>("#runs-filter")?.focus(),
    },
    { keys: "Escape", group, label: "keys.clear", run: selection.clear },
  ]);
}
