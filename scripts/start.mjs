// `npm start`: makes the checkout ready (nothing to do the second time) and becomes the server.
import "./require-node.cjs";
import { pathToFileURL } from "node:url";
import { inRoot } from "./bootstrap/paths.mjs";
import { ensureReady } from "./bootstrap/ready.mjs";
import { endWith } from "./bootstrap/say.mjs";

try {
  await ensureReady();
} catch (error) {
  endWith(error);
}

// Imported, not spawned: signals, terminal and exit code are the server's own, and one process less
// stays in memory. package.json starts us with MALLOC_ARENA_MAX=2: of glibc's arenas, one a thread, the idle server
// keeps 10 MB that nobody uses.
process.setSourceMapsEnabled(true);
const server = inRoot("dist/server/main.js");
process.argv[1] = server;
await import(pathToFileURL(server).href);
