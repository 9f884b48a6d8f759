// What a single file must keep to: its length, an opening sentence, no drawer for a name, and the
// environment read in one place only.

export interface PageRules {
  maxLines: number;
  drawers: string[];
}

/** Files that may read the process's environment, with the place that is theirs. */
const environmentReaders = [
  /^apps\/server\/src\/platform\/settings\.ts$/,
  /^apps\/cli\/src\/settings\.ts$/,
  /^worker\/src\/spotter_worker\/settings\.py$/,
  /^sdk\/src\/spotter\/settings\.py$/,
  /^(scripts|bench|e2e|examples)\//,
  /^apps\/server\/test\//,
  /^worker\/tests\//,
  /\.test\.ts$/,
];
const environmentWords = /\bprocess\.env\b|\bos\.environ\b|\bos\.getenv\b/;
/** Where vitest.config.ts and worker/pyproject.toml look for tests. */
const tiers =
  /^(packages|scripts|examples|e2e|apps\/[^/]+\/src|apps\/server\/test\/medium)\/.*\.test\.ts$|^worker\/tests\/test_\w+\.py$/;
const looksLikeTest = /\.(test|spec)\.\w+$|(^|\/)(test_\w+|\w+_test)\.py$/;
const isGenerated =
  /(^|\/)(contract_models\.py|auto-imports\.d\.ts|components\.d\.ts|typed-router\.d\.ts)$/;

export function findPageViolations(path: string, text: string, rules: PageRules): string[] {
  if (isGenerated.test(path)) return [];
  const reasons = [
    lengthReason(text, rules.maxLines),
    openingReason(path, text),
    drawerReason(path, rules.drawers),
    environmentReason(path, text),
    tierReason(path),
  ];
  return reasons.flatMap((reason) => (reason === undefined ? [] : [`${path}: ${reason}`]));
}

function lengthReason(text: string, maxLines: number): string | undefined {
  const numLines = text.trimEnd().split("\n").length;
  return numLines > maxLines ? `${numLines} lines, at most ${maxLines}` : undefined;
}

function openingReason(path: string, text: string): string | undefined {
  // A test's names are its sentences.
  if (looksLikeTest.test(path)) return undefined;
  const body = text.replace(/^#!.*\n/, "").trimStart();
  if (body === "" && path.endsWith("__init__.py")) return undefined;
  const opens = path.endsWith(".py")
    ? /^("""|#)/.test(body)
    : /^(\/\/|\/\*|<!--)/.test(body) || /^<script\b[^>]*>\s*(\/\/|\/\*)/.test(body);
  return opens ? undefined : "does not open with a sentence on what it owns";
}

function drawerReason(path: string, drawers: readonly string[]): string | undefined {
  const parts = path.replace(/\.[a-z.]+$/, "").split("/");
  const drawer = parts.find((part) => drawers.includes(part));
  return drawer === undefined
    ? undefined
    : `"${drawer}" is a drawer; name the file for what it does`;
}

function environmentReason(path: string, text: string): string | undefined {
  if (environmentReaders.some((place) => place.test(path))) return undefined;
  const code = text.replace(/^\s*(\/\/|\*|#).*$/gm, "");
  return environmentWords.test(code)
    ? "reads the environment; only the settings module may"
    : undefined;
}

function tierReason(path: string): string | undefined {
  if (!looksLikeTest.test(path) || tiers.test(path)) return undefined;
  return "a test where no tier looks for it; it would never run";
}
