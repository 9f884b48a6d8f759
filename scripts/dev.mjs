// `npm run dev`: the server rebuilt and restarted at every change, and the web pages with hot reload
// on a port of their own that hands API calls on to the server.
import "./require-node.cjs";
import { spawn } from "node:child_process";
import { inRoot } from "./bootstrap/paths.mjs";
import { ensureReady } from "./bootstrap/ready.mjs";
import { endWith, say } from "./bootstrap/say.mjs";

const apiPort = Number(process.env.SPOTTER_PORT ?? 8888);
const webPort = 5173;
const webAddress = `http://127.0.0.1:${webPort}`;
const apiAddress = `http://127.0.0.1:${apiPort}`;

try {
  await ensureReady({ dev: true });
} catch (error) {
  endWith(error);
}

const esbuild = await import("esbuild");
const { nodeBundles } = await import("./build.mjs");
const { createServer } = await import("vite");

let server;

function restartServer() {
  if (server !== undefined) {
    server.once("exit", startServer);
    server.kill("SIGTERM");
  } else startServer();
}

function startServer() {
  server = spawn(process.execPath, ["--enable-source-maps", inRoot("dist/server/main.js")], {
    stdio: "inherit",
    env: { ...process.env, SPOTTER_PORT: String(apiPort), SPOTTER_ALLOWED_ORIGINS: webAddress },
  });
  server.once("exit", () => {
    server = undefined;
  });
}

const restartAfterBuild = {
  name: "restart-after-build",
  setup(build) {
    build.onEnd((result) => {
      if (result.errors.length === 0) restartServer();
    });
  },
};

const { server: serverBundle } = nodeBundles(inRoot("dist"));
const context = await esbuild.context({
  ...serverBundle,
  plugins: [...serverBundle.plugins, restartAfterBuild],
});
await context.watch();

const web = await createServer({
  root: inRoot("apps/web"),
  server: {
    host: "127.0.0.1",
    port: webPort,
    strictPort: true,
    proxy: {
      "/api": apiAddress,
      "/ws": { target: apiAddress, ws: true },
    },
  },
});
await web.listen();
say(`Web pages with hot reload: ${webAddress}   (API: ${apiAddress})`);

for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, async () => {
    server?.removeAllListeners("exit");
    server?.kill("SIGTERM");
    await Promise.all([context.dispose(), web.close()]);
    process.exit(0);
  });
}
