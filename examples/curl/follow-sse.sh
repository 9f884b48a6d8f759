#!/bin/sh
# Prints a run's metrics live over SSE. Give a run's number, or nothing for the newest active run.
#   SPOTTER_URL=http://127.0.0.1:8888 SPOTTER_TOKEN=... sh follow-sse.sh [run number]
# To go on after a break, send the last `id:` that was seen: --header "Last-Event-ID: 42:1071".
exec curl --silent --show-error --fail-with-body --no-buffer \
  --header "Authorization: Bearer $SPOTTER_TOKEN" \
  "${SPOTTER_URL:-http://127.0.0.1:8888}/api/stream/metrics${1:+?run_id=$1}"
