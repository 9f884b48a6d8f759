// The six lines that make any Python script a run. Pure.

/** What stands in the lines until the person has a token. */
export const TOKEN_PLACE = "YOUR_TOKEN";

/** Six lines of plain Python, without any package of ours. */
export function scriptLines(origin: string, token: string): string {
  return [
    "import json, time, urllib.request as web",
    `send = lambda path, body: json.load(web.urlopen(web.Request(headers={"Authorization": "Bearer ${token}", "Content-Type": "application/json"}, url="${origin}/api/runs" + path, data=json.dumps(body).encode())))`,
    'run = send("", {"name": "my script"})["id"]',
    "for step in range(1, 101):  # your training loop",
    '    send(f"/{run}/events", {"protocol": 1, "attempt": 1, "seq": step, "events": [{"type": "metric-points", "series": {"train/loss": {"step": [step], "time": [time.time()], "value": [1 / step]}}}]})',
    'send(f"/{run}/events", {"protocol": 1, "attempt": 1, "seq": step + 1, "events": [{"type": "run-ended", "time": time.time(), "state": "finished"}]})',
  ].join("\n");
}
