#!/bin/sh
# Logs from a shell: opens a run, sends one batch of points, ends the run.
#   SPOTTER_URL=http://127.0.0.1:8888 SPOTTER_TOKEN=... sh log-from-script.sh
# Each batch has its own number, from 1: one that is sent again is stored once.
set -eu
server="${SPOTTER_URL:-http://127.0.0.1:8888}"
post() {
  # --retry: only after answers that pass (429, 503 and the like) and refused connections.
  curl --silent --show-error --fail-with-body --retry 5 --retry-connrefused \
    --header "Authorization: Bearer $SPOTTER_TOKEN" --header "Content-Type: application/json" \
    --data "$2" "$server$1"
}
run=$(post /api/runs '{"name": "from a shell"}' | sed 's/^{"id":\([0-9]*\).*/\1/')
now=$(date +%s)
points="{\"step\": [1, 2], \"time\": [$now, $now], \"value\": [0.5, \"NaN\"]}"
post "/api/runs/$run/events" "{\"protocol\": 1, \"attempt\": 1, \"seq\": 1, \"events\": [
  {\"type\": \"run-started\", \"time\": $now},
  {\"type\": \"metric-points\", \"series\": {\"loss\": $points}}]}"
post "/api/runs/$run/events" "{\"protocol\": 1, \"attempt\": 1, \"seq\": 2, \"events\": [
  {\"type\": \"run-ended\", \"time\": $now, \"state\": \"finished\"}]}"
echo
echo "run $run  $server/runs/$run/charts"
