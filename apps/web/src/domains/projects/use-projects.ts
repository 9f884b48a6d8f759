// The projects that the person is in, and the one that the pages are narrowed to.
import { listProjects, type Project } from "@spotter/contract";
import { defineStore } from "pinia";
import { computed, ref, watch } from "vue";
import { api } from "../../platform/api.ts";
import { readStored, writeStored } from "../../platform/storage.ts";

export const useProjects = defineStore("projects", () => {
  const projects = ref<Project[]>([]);
  const chosenId = ref<number | null>(readStored<number | null>("project", null));
  watch(chosenId, (id) => writeStored("project", id));

  const open = computed(() => projects.value.filter((project) => project.archived_at === null));
  const current = computed(
    () => open.value.find((project) => project.id === chosenId.value) ?? null,
  );
  /** For query strings: absent means all projects. */
  const filter = computed(() =>
    current.value === null ? {} : { project_id: String(current.value.id) },
  );

  async function load(): Promise<void> {
    projects.value = (await api.call(listProjects, {})).projects;
  }

  return { projects, open, chosenId, current, filter, load };
});
