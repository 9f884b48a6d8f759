// HTTP of health, info and the API's own description.
import { open } from "node:fs/promises";
import { getApiReference, getHealth, getSystemInfo } from "@spotter/contract";
import type { Router } from "../../platform/route.ts";
import type { SystemService } from "./service.ts";

export function registerSystemRoutes(
  router: Router,
  system: SystemService,
  apiReference: string,
): void {
  router.public(getHealth, () => system.health());
  router.signedIn(getSystemInfo, () => system.info());
  router.signedIn(getApiReference, async ({ reply }) => {
    // Read when it is asked for: half a megabyte that nobody needs in memory.
    const file = await open(apiReference);
    return reply.type("application/json").send(file.createReadStream());
  });
}
