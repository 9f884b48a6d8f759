"""Prints a run's metrics live over SSE, and goes on behind the last event after a broken connection.

SPOTTER_URL=http://127.0.0.1:8888 SPOTTER_TOKEN=... python follow_sse.py [run number]
Without a number: the newest active run. Standard library only.
"""

import json
import os
import sys
import time
import urllib.error
import urllib.request

SERVER = os.environ.get("SPOTTER_URL", "http://127.0.0.1:8888")
TOKEN = os.environ["SPOTTER_TOKEN"]


def read_events(response):
    """Gives (id, data) of every whole event; a half one at a broken end is dropped."""
    event_id, data = None, []
    for raw in response:
        line = raw.decode().rstrip("\r\n")
        if line == "":
            if data:
                yield event_id, "\n".join(data)
            data = []
        elif line.startswith("id:"):
            event_id = line[3:].strip()
        elif line.startswith("data:"):
            data.append(line[5:].lstrip(" "))


def follow(run_id):
    last_id = None
    while True:
        query = f"?run_id={run_id}" if run_id else ""
        request = urllib.request.Request(f"{SERVER}/api/stream/metrics{query}")
        request.add_header("Authorization", f"Bearer {TOKEN}")
        if last_id is not None:
            request.add_header("Last-Event-ID", last_id)
        try:
            # The heartbeat comes every 15 s; longer silence means a dead connection.
            with urllib.request.urlopen(request, timeout=45) as response:
                for event_id, data in read_events(response):
                    last_id = event_id or last_id
                    yield json.loads(data)
        except urllib.error.HTTPError as error:
            if error.code < 500 and error.code != 429:
                sys.exit(f"{error.code}: {json.load(error)['error']['message']}")
        except OSError as error:
            print(f"# {error}; trying again", file=sys.stderr)
        time.sleep(1)


if __name__ == "__main__":
    for message in follow(sys.argv[1] if len(sys.argv) > 1 else None):
        if message["event_type"] == "metrics_update":
            data = message["data"]
            print(f"step {data['step']}  loss {data['train_loss']}  left {data['eta']}", flush=True)
        else:
            print(message["event_type"], flush=True)
