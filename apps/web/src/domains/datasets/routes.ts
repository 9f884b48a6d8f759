// The datasets.
import type { RouteRecordRaw } from "vue-router";

export const routes: RouteRecordRaw[] = [
  {
    // One page for both: the list stays behind the sheet of the dataset that is named.
    path: "/datasets/:dataset_id(\\d+)?",
    component: () => import("./DatasetsPage.vue"),
    meta: { title: "datasets.title" },
  },
];
