// The places of the rail, in order; a new room of the house adds its line here.
import { Box, ChartLine, Database, House, ListOrdered, Settings } from "lucide-vue-next";
import type { Component } from "vue";

export interface Place {
  path: string;
  /** A key of the words. */
  label: string;
  icon: Component;
  /** `g` and then this key goes there. */
  key: string;
  /** At the rail's foot. */
  isFoot?: boolean;
}

export const places: readonly Place[] = [
  { path: "/", label: "app.places.home", icon: House, key: "h" },
  { path: "/runs", label: "app.places.runs", icon: ChartLine, key: "r" },
  { path: "/queue", label: "app.places.queue", icon: ListOrdered, key: "q" },
  { path: "/datasets", label: "app.places.datasets", icon: Database, key: "d" },
  { path: "/models", label: "app.places.models", icon: Box, key: "m" },
  { path: "/settings", label: "app.places.settings", icon: Settings, key: "s", isFoot: true },
];

/** Whether a place is the one that is shown. */
export function isAt(place: Place, path: string): boolean {
  return place.path === "/"
    ? path === "/"
    : path === place.path || path.startsWith(`${place.path}/`);
}
