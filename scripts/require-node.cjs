// The gate in front of every script: says in a sentence that Node is too old. Written for the oldest
// Node that may run it (CommonJS, ES5), because a syntax error would tell a newcomer nothing.
"use strict";

var oldest = [20, 19];
var parts = process.versions.node.split(".");
var major = parseInt(parts[0], 10);
var minor = parseInt(parts[1], 10);

if (major < oldest[0] || (major === oldest[0] && minor < oldest[1])) {
  console.error(
    "Spotter needs Node.js " +
      oldest.join(".") +
      " or newer; this is " +
      process.versions.node +
      ".",
  );
  console.error(
    "Install the current LTS from https://nodejs.org (or: nvm install 22), open a new terminal, and repeat.",
  );
  process.exit(1);
}
