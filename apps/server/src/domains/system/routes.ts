// HTTP of health and info.
import { getHealth, getSystemInfo } from "@spotter/contract";
import type { Router } from "../../platform/route.ts";
import type { SystemService } from "./service.ts";

export function registerSystemRoutes(router: Router, system: SystemService): void {
  router.public(getHealth, () => system.health());
  router.signedIn(getSystemInfo, () => system.info());
}
