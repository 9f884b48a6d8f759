// Tests of reading the runners' reports: what did not run must never count as passed.
import { expect, test } from "vitest";
import { countPytest, countVitest } from "./runners.mjs";

test("vitest's report: skipped tests count as failed", () => {
  const report = JSON.stringify({ numPassedTests: 5, numFailedTests: 1, numPendingTests: 2 });
  expect(countVitest(report)).toEqual({ passed: 5, failed: 3 });
});

test("pytest's report: errors and skipped tests count as failed", () => {
  const report =
    '<?xml version="1.0"?><testsuites name="pytest tests"><testsuite name="pytest" errors="1" failures="2" skipped="1" tests="10" time="1">';
  expect(countPytest(report)).toEqual({ passed: 6, failed: 4 });
});
