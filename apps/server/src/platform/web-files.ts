// Serves the built web pages: hashed assets for ever, index.html for every address that the page's router knows.
import { existsSync } from "node:fs";
import path from "node:path";
import fastifyStatic from "@fastify/static";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { SpotterError } from "./errors.ts";

const IMMUTABLE = "public, max-age=31536000, immutable";

/** @param folder of `vite build`; without it there are only `/api` and `/ws` */
export async function serveWebFiles(app: FastifyInstance, folder: string | null): Promise<void> {
  const hasPages = folder !== null && existsSync(path.join(folder, "index.html"));
  if (hasPages)
    await app.register(fastifyStatic, {
      root: folder,
      cacheControl: false,
      setHeaders: (response, file) => {
        const isHashed = file.startsWith(path.join(folder, "assets") + path.sep);
        response.setHeader("cache-control", isHashed ? IMMUTABLE : "no-cache");
      },
    });
  app.setNotFoundHandler((request, reply) => {
    if (hasPages && isPage(request)) return sendIndex(reply);
    throw new SpotterError("route-not-found");
  });
}

// A missing script or picture must stay a 404: an index page in its place breaks in confusing ways.
function isPage(request: FastifyRequest): boolean {
  // Not by `new URL`, which throws at some addresses that a browser would never send.
  const pathname = request.url.split(/[?#]/, 1)[0] ?? "";
  return (
    (request.method === "GET" || request.method === "HEAD") &&
    !/^\/(api|ws)(\/|$)/.test(pathname) &&
    !/\/[^/]*\.[a-z0-9]{1,8}$/i.test(pathname)
  );
}

function sendIndex(reply: FastifyReply): FastifyReply {
  return reply.header("cache-control", "no-cache").sendFile("index.html");
}
