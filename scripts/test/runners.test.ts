// Tests of reading the runners' reports: what did not run must never count as passed.
import { expect, test } from "vitest";
import { countPytest, countVitest, tally } from "./runners.mjs";

test("vitest's report: skipped tests count as failed", () => {
  const report = JSON.stringify({ numPassedTests: 5, numFailedTests: 1, numPendingTests: 2 });
  expect(countVitest(report)).toEqual({ passed: 5, failed: 3, withoutGpu: 0 });
});

test("pytest's report: errors and skipped tests count as failed", () => {
  const report =
    '<?xml version="1.0"?><testsuites name="pytest tests"><testsuite name="pytest" errors="1" failures="2" skipped="1" tests="10" time="1">';
  expect(countPytest(report)).toEqual({ passed: 6, failed: 4, withoutGpu: 0 });
});

test("pytest's report: what needs a GPU is told apart from every other test that did not run", () => {
  const report = `<testsuites><testsuite name="pytest" errors="0" failures="0" skipped="3" tests="10">
    <testcase name="a"><skipped type="pytest.skip" message="needs a GPU: two processes over NCCL">x</skipped></testcase>
    <testcase name="b"><skipped type="pytest.skip" message="needs a GPU">x</skipped></testcase>
    <testcase name="c"><skipped type="pytest.skip" message="could not import 'transformers'">x</skipped></testcase>
    </testsuite></testsuites>`;
  expect(countPytest(report)).toEqual({ passed: 7, failed: 1, withoutGpu: 2 });
});

test("the closing line names tests without a GPU only where there are some", () => {
  expect(tally({ passed: 7, failed: 0, withoutGpu: 0 })).toBe("7 passed, 0 failed");
  expect(tally({ passed: 7, failed: 0, withoutGpu: 2 })).toBe(
    "7 passed, 0 failed, 2 skipped: need a GPU",
  );
});
