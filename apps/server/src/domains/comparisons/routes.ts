// HTTP of comparisons: reports, their files, and comparisons that were saved.
import {
  compareRuns,
  createComparison,
  deleteComparison,
  exportComparison,
  getComparison,
  listComparisons,
  updateComparison,
} from "@spotter/contract";
import type { Caller, Router } from "../../platform/route.ts";
import { csvOf, markdownOf } from "./exports.ts";
import type { By, ComparisonService } from "./service.ts";
import type { ComparisonRow } from "./store.ts";

type ComparisonInPath = { readonly params: { readonly comparison_id: string } };

export function registerComparisonRoutes(router: Router, comparisons: ComparisonService): void {
  bindReports(router, comparisons);
  bindSaved(router, comparisons);
}

function bindReports(router: Router, comparisons: ComparisonService): void {
  router.signedIn(compareRuns, ({ query, caller }) => comparisons.report(query, caller));
  router.signedIn(exportComparison, async ({ query, caller, reply }) => {
    const report = await comparisons.report(query, caller);
    const { type, ending, text } = {
      csv: { type: "text/csv; charset=utf-8", ending: "csv", text: () => csvOf(report) },
      markdown: {
        type: "text/markdown; charset=utf-8",
        ending: "md",
        text: () => markdownOf(report, query.lang),
      },
      json: {
        type: "application/json; charset=utf-8",
        ending: "json",
        text: () => `${JSON.stringify(report, null, 2)}\n`,
      },
    }[query.format];
    const name = `runs-${report.runs.map(({ id }) => id).join("-")}`.slice(0, 80);
    return reply
      .header("content-type", type)
      .header("content-disposition", `attachment; filename="${name}.${ending}"`)
      .send(text());
  });
}

function bindSaved(router: Router, comparisons: ComparisonService): void {
  const rowOf = ({ params }: ComparisonInPath): Promise<ComparisonRow> =>
    comparisons.require(Number(params.comparison_id));
  const projectOf = async (input: ComparisonInPath) => (await rowOf(input)).project_id;

  router.signedIn(listComparisons, async ({ query, caller }) => ({
    comparisons: await comparisons.list(caller, query.project_id),
  }));
  router.inProject(
    createComparison,
    ({ body }) => comparisons.projectOf(body.run_ids),
    (input) => comparisons.create(input.body, byOf(input)),
  );
  router.inProject(getComparison, projectOf, async (input) =>
    comparisons.saved(await rowOf(input), input.query),
  );
  router.inProject(updateComparison, projectOf, async (input) =>
    comparisons.update(await rowOf(input), input.body, byOf(input)),
  );
  router.inProject(deleteComparison, projectOf, async (input) => {
    await comparisons.delete(await rowOf(input), byOf(input));
    return { done: true as const };
  });
}

function byOf({ caller, request }: { caller: Caller; request: { ip: string } }): By {
  return { caller, address: request.ip };
}
