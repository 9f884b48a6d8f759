// Writes docs/reference/errors.md from the one table of error codes.
import { errorTable } from "../../packages/contract/src/index.ts";

const introduction = `# Errors

Every failure has one shape: \`{"error": {"code", "message", "details"?}}\`, with the status below.
The message may say more precisely what was wrong; the code never changes its meaning.
This page is generated from \`packages/contract/src/errors.ts\`.

| code | status | raised by | meaning |
|---|---|---|---|
`;

export function errorPage(): string {
  const rows = Object.entries(errorTable).map(
    ([code, { status, domain, sentence }]) =>
      `| \`${code}\` | ${status} | ${domain} | ${sentence} |`,
  );
  return `${introduction}${rows.join("\n")}\n`;
}
