// Prints a run's training events live over a WebSocket, until the training has ended.
//   SPOTTER_URL=http://127.0.0.1:8888 SPOTTER_TOKEN=... node follow-websocket.mjs [run number]
// Node 22 has WebSocket built in; Node 20 needs the package `ws`.
const WebSocket = globalThis.WebSocket ?? (await import("ws")).WebSocket;

const server = process.env.SPOTTER_URL ?? "http://127.0.0.1:8888";
const query = process.argv[2] === undefined ? "" : `?run_id=${process.argv[2]}`;
// In a page of the same origin leave the headers out: the session's cookie goes along.
const socket = new WebSocket(`${server.replace(/^http/, "ws")}/ws/metrics${query}`, {
  headers: { authorization: `Bearer ${process.env.SPOTTER_TOKEN}` },
});

socket.addEventListener("message", ({ data }) => {
  const message = JSON.parse(data);
  const { epoch, metrics } = message.data;
  console.log(`${message.event}  epoch ${epoch}  loss ${metrics.train_loss}`);
  if (message.event === "training_ended") socket.close();
});
socket.addEventListener("error", ({ message }) => {
  console.error(`The connection failed: ${message}`);
  process.exitCode = 1;
});
