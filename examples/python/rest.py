"""Reads runs and metrics over REST: the newest runs, then every point of one series as columns.

SPOTTER_URL=http://127.0.0.1:8888 SPOTTER_TOKEN=... python rest.py [run number] [metric]
Standard library only.
"""

import json
import os
import sys
import urllib.error
import urllib.parse
import urllib.request

SERVER = os.environ.get("SPOTTER_URL", "http://127.0.0.1:8888")
TOKEN = os.environ["SPOTTER_TOKEN"]


def get(path, **query):
    address = f"{SERVER}{path}?{urllib.parse.urlencode(query)}"
    request = urllib.request.Request(address, headers={"Authorization": f"Bearer {TOKEN}"})
    try:
        with urllib.request.urlopen(request) as response:
            return json.load(response)
    except urllib.error.HTTPError as error:
        # Every failure has the same shape: a code for programs, a sentence for people.
        failure = json.load(error)["error"]
        sys.exit(f"{failure['code']}: {failure['message']}")


def points(run_id, name):
    """All points, page after page. NaN and the infinities come as their names."""
    offset = 0
    while offset is not None:
        page = get(f"/api/runs/{run_id}/metrics/points", name=name, offset=offset)
        for step, value in zip(page["step"], page["value"], strict=True):
            yield step, float(value)
        offset = page["next_offset"]


if __name__ == "__main__":
    if len(sys.argv) > 2:
        for step, value in points(sys.argv[1], sys.argv[2]):
            print(step, value)
    elif len(sys.argv) > 1:
        for node in get(f"/api/runs/{sys.argv[1]}/metrics/names", flat="true")["nodes"]:
            print(node["path"], node["last_value"])
    else:
        for run in get("/api/runs", limit=20)["runs"]:
            print(run["id"], run["state"], run["name"])
