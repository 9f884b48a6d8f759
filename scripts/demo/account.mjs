// The demo's account: made by the first demo in a data folder, found again by the second.
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import { SetupProblem } from "../bootstrap/say.mjs";

const userName = "demo";

/** @returns an account that can `call(method, path, body)`; with `password` when it was made just now */
export async function demoAccount(server) {
  const file = path.join(server.home, "demo-account.json");
  if (existsSync(file)) {
    const { name, token } = JSON.parse(readFileSync(file, "utf8"));
    const account = accountOf(server, name, token);
    await account.call("GET", "/api/auth/me");
    return account;
  }
  if (server.setupSecret === null) {
    throw new SetupProblem(
      "This data folder has an administrator that the demo does not know. Sign in and train from the page, or give the demo a folder of its own: SPOTTER_HOME=.spotter-demo npm run demo",
    );
  }
  const password = randomBytes(9).toString("base64url");
  await callServer(server, undefined, "POST", "/api/auth/setup", {
    name: userName,
    password,
    setup_token: server.setupSecret,
  });
  const { secret } = await callServer(server, undefined, "POST", "/api/auth/token", {
    name: userName,
    password,
    token_name: "npm run demo",
  });
  writeFileSync(`${file}.new`, JSON.stringify({ name: userName, token: secret }), { mode: 0o600 });
  renameSync(`${file}.new`, file);
  return { ...accountOf(server, userName, secret), password };
}

function accountOf(server, name, token) {
  return {
    name,
    call: (method, address, body) => callServer(server, token, method, address, body),
  };
}

async function callServer(server, token, method, address, body) {
  const response = await fetch(`${server.url}${address}`, {
    method,
    headers: {
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const answer = await response.json();
  if (response.ok) return answer;
  throw new SetupProblem(
    `${method} ${address}: ${answer.error?.message ?? response.status} (${answer.error?.code ?? "no code"})`,
  );
}
