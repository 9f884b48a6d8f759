// Writes docs/reference/settings.md from the server's table of environment variables, with those of the
// set-up and the tests below it.
import { variables } from "../../apps/server/src/platform/settings.ts";

const introduction = `# Settings

The server reads these environment variables once, at its start; a bad value stops the start and names the variable.
This page is generated from \`apps/server/src/platform/settings.ts\`.

| variable | default | what it is for |
|---|---|---|
`;

const commandLine = `
## Command line

Read by \`spotter\`.

| variable | default | what it is for |
|---|---|---|
| \`SPOTTER_URL\` | the server that was signed in to | The server to speak to. |
| \`SPOTTER_TOKEN\` | the token that sign-in keeps | An API token. |
| \`XDG_CONFIG_HOME\` | \`~/.config\` | Where \`spotter/config.json\` lies. |
| \`NO_COLOR\` |  | Set to anything: no colours. |
`;

const setup = `
## Set-up and tests

Read by the scripts behind \`npm run demo\`, \`npm start\` and \`npm test\`.

| variable | default | what it is for |
|---|---|---|
| \`SPOTTER_PYTHON\` | the newest of python3.14 … python3.10, python3 | The Python that the workers' environment is made with. |
| \`SPOTTER_BROWSER\` | an installed Chrome, Chromium or Edge | The browser that the whole-house tests drive. |
| \`SPOTTER_TEST_DATABASE_URL\` | a private cluster in a temporary folder | An empty PostgreSQL database that the tests may fill. |
`;

export function settingsPage(): string {
  const rows = Object.entries(variables).map(([name, variable]) => {
    const isForTests = "isForTests" in variable && variable.isForTests;
    const sentence = `${variable.sentence}${isForTests ? " For tests only." : ""}`;
    const fallback = variable.fallback === "" ? "" : `\`${variable.fallback}\``;
    return `| \`${name}\` | ${fallback} | ${sentence.replaceAll("|", "\\|")} |`;
  });
  return `${introduction}${rows.join("\n")}\n${commandLine}${setup}`;
}
