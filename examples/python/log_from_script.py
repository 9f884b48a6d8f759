"""Logs a training of your own: opens a run, sends its metrics while it goes, and ends it.

SPOTTER_URL=http://127.0.0.1:8888 SPOTTER_TOKEN=... python log_from_script.py
Standard library only. Copy the class into your script.
"""

import json
import math
import os
import time
import urllib.error
import urllib.request

SERVER = os.environ.get("SPOTTER_URL", "http://127.0.0.1:8888")
TOKEN = os.environ["SPOTTER_TOKEN"]


def post(path, body):
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    request = urllib.request.Request(SERVER + path, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.load(response)


class SpotterRun:
    def __init__(self, name, config):
        self.id = post("/api/runs", {"name": name, "config": config})["id"]
        self.seq = 0
        self.series = {}
        self.sent_at = time.monotonic()
        self.send({"type": "run-started", "time": time.time(), "config": config})

    def log(self, step, **metrics):
        for name, value in metrics.items():
            series = self.series.setdefault(name, {"step": [], "time": [], "value": []})
            series["step"].append(step)
            series["time"].append(time.time())
            # JSON has no NaN: it travels by name.
            finite = math.isfinite(value)
            series["value"].append(value if finite else json.dumps(value).strip('"'))
        # Ten times a second is live enough, and cheap.
        if time.monotonic() - self.sent_at > 0.1:
            self.flush()

    def flush(self):
        if self.series:
            self.send({"type": "metric-points", "series": self.series})
            self.series = {}
        self.sent_at = time.monotonic()

    def end(self, state="finished"):
        self.flush()
        self.send({"type": "run-ended", "time": time.time(), "state": state})

    def send(self, event):
        """Sends again under the same number until it is stored: the server keeps each once."""
        self.seq += 1
        batch = {"protocol": 1, "attempt": 1, "seq": self.seq, "events": [event]}
        while True:
            try:
                return post(f"/api/runs/{self.id}/events", batch)
            except urllib.error.HTTPError as error:
                if error.code < 500 and error.code != 429:
                    raise
            except OSError as error:
                print(f"# {error}; trying again")
            time.sleep(1)


if __name__ == "__main__":
    run = SpotterRun("sine", {"steps": 200})
    print(f"run {run.id}  {SERVER}/runs/{run.id}/charts")
    for step in range(200):
        run.log(step, loss=math.exp(-step / 50), wave=math.sin(step / 10))
        time.sleep(0.005)
    run.end()
