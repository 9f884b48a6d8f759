// What rules and targets have in common as rows: read, changed in a sheet, acted on, and read again.
import { onMounted, ref, shallowRef, watch } from "vue";
import { useSecondClick } from "../../platform/use-second-click.ts";
import { useTask } from "../../platform/use-task.ts";
import { useProjects } from "../projects/use-projects.ts";

export function useEditedRows<Row>(read: () => Promise<Row[]>) {
  const projects = useProjects();
  const rows = shallowRef<Row[] | null>(null);
  const isOpen = ref(false);
  /** What the sheet changes; null: it makes a new one. */
  const edited = shallowRef<Row | null>(null);
  const { asked, isSecond } = useSecondClick();

  const loading = useTask(async () => {
    rows.value = await read();
  });
  const acting = useTask(async (work: () => Promise<unknown>) => {
    await work();
    await loading.run();
  });
  function open(row: Row | null): void {
    edited.value = row;
    isOpen.value = true;
  }
  /** Does it at the second click. */
  function twice(key: string, work: () => Promise<unknown>): void {
    if (isSecond(key)) void acting.run(work);
  }
  onMounted(() => loading.run());
  watch(
    () => projects.filter,
    () => loading.run(),
  );
  return { rows, isOpen, edited, asked, loading, acting, open, twice };
}
