// The three tiers of tests as vitest projects: small (pure, beside the code), medium (real database,
// once on SQLite and once on PostgreSQL) and whole (server, browser and worker together).
import { defineConfig } from "vitest/config";

const never = ["**/node_modules/**", "**/dist/**", "**/.cache/**"];

function medium(database: "sqlite" | "postgres") {
  return {
    test: {
      name: `medium-${database}`,
      include: ["apps/server/test/medium/**/*.test.ts"],
      exclude: never,
      environment: "node" as const,
      globalSetup: "apps/server/test/build-db-thread.ts",
      env: { SPOTTER_TEST_DATABASE: database },
      testTimeout: 60_000,
      hookTimeout: 60_000,
    },
  };
}

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "small",
          include: [
            "packages/**/*.test.ts",
            "apps/*/src/**/*.test.ts",
            "scripts/**/*.test.ts",
            "examples/**/*.test.ts",
          ],
          exclude: never,
          environment: "node",
          testTimeout: 30_000,
        },
      },
      medium("sqlite"),
      medium("postgres"),
      {
        test: {
          name: "whole",
          include: ["e2e/**/*.test.ts"],
          exclude: never,
          environment: "node",
          // Each file starts its own server, worker and browser: one at a time keeps them honest.
          fileParallelism: false,
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
});
