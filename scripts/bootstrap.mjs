// Prepares a checkout so that Spotter runs: npm packages, Python environment, bundles.
// Only the version gate is imported statically; the rest may use what an old Node cannot parse.
import "./require-node.cjs";

import("./bootstrap/ready.mjs")
  .then((ready) => ready.runAsCommand(process.argv.slice(2)))
  .catch((error) => {
    console.error(error);
    process.exit(1);
  });
