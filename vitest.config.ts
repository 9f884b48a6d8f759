// The three tiers of tests as vitest projects: small (pure, beside the code), medium (real database,
// once on SQLite and once on PostgreSQL) and whole (server, browser and worker together).
import { defineConfig } from "vitest/config";

// Files share a process, and what it has loaded: to load the server anew for each took two thirds of a tier's processor
// time. So no file may leave anything behind: a stubbed variable, a running server, a changed module.
const isolate = false;
const never = ["**/node_modules/**", "**/dist/**", "**/.cache/**"];

function medium(database: "sqlite" | "postgres") {
  return {
    test: {
      name: `medium-${database}`,
      include: ["apps/server/test/medium/**/*.test.ts"],
      exclude: never,
      isolate,
      environment: "node" as const,
      globalSetup: "apps/server/test/build-db-thread.ts",
      env: { SPOTTER_TEST_DATABASE: database },
      testTimeout: 60_000,
      hookTimeout: 60_000,
      // Most of their time these tests wait for a worker, so two cores carry two files of each database at once.
      maxWorkers: 2,
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
          isolate,
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
          // Each file starts its own server, worker and browser, and waits for them most of its time.
          maxWorkers: 2,
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
});
