// Takes the wished port or the next free one.
import type { FastifyInstance } from "fastify";

const MAX_STEPS = 50;

export interface Address {
  /** As a browser on this machine would write it. */
  readonly url: string;
  /** True when the wished port was taken. */
  readonly isMoved: boolean;
}

export async function listen(
  app: FastifyInstance,
  { host, port }: { host: string; port: number },
): Promise<Address> {
  for (let step = 0; ; step += 1) {
    try {
      await app.listen({ host, port: port === 0 ? 0 : port + step });
      return { url: urlOf(app, host), isMoved: step > 0 };
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== "EADDRINUSE" || step >= MAX_STEPS || port + step >= 65_535) throw error;
    }
  }
}

/** Only once it listens. */
export function urlOf(app: FastifyInstance, host: string): string {
  const address = app.server.address();
  if (address === null || typeof address === "string")
    throw new Error("The server listens on no port.");
  const isEverywhere = host === "0.0.0.0" || host === "::";
  const name = isEverywhere ? "127.0.0.1" : host.includes(":") ? `[${host}]` : host;
  return `http://${name}:${address.port}`;
}
