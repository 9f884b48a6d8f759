"""Owns `python -m spotter sync <folder>`: hands over what scripts kept while no server was there."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from .settings import read_settings
from .sync import find_runs, sync

WHAT = "Hands over runs that scripts kept while no server was there."


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m spotter", description=WHAT)
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("sync", help="hand runs over that a folder keeps")
    one.add_argument("folder", type=Path, nargs="?", help="a run's folder, or one of several")
    one.add_argument("--url", help="the server; default SPOTTER_URL, then http://127.0.0.1:8888")
    one.add_argument("--token", help="an API token; default SPOTTER_TOKEN")
    arguments = parser.parse_args()
    settings = read_settings()
    token = arguments.token or settings.token
    if token is None:
        parser.error("name an API token: --token or SPOTTER_TOKEN")
    parent = arguments.folder or settings.folder
    folders = find_runs(parent)
    if not folders:
        print(f"{parent} keeps no run", file=sys.stderr)
        return 1
    url = arguments.url or settings.url or "http://127.0.0.1:8888"
    # Each by itself: one that cannot be handed over must not keep the others back.
    return max(sync(folder, url, token) for folder in folders)


if __name__ == "__main__":
    sys.exit(main())
