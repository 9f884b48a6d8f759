#!/bin/sh
# Runs, the newest values of one, its last updates, and one series as CSV.
#   SPOTTER_URL=http://127.0.0.1:8888 SPOTTER_TOKEN=... sh rest.sh <run number> [metric]
set -eu
run="${1:?give the number of a run}"
server="${SPOTTER_URL:-http://127.0.0.1:8888}"
get() {
  curl --silent --show-error --fail-with-body --header "Authorization: Bearer $SPOTTER_TOKEN" "$@"
  echo
}
get "$server/api/runs?limit=5"
get "$server/api/metrics/current?run_id=$run"
get "$server/api/metrics/history?run_id=$run&limit=3"
get --get --data-urlencode "name=${2:-train/loss}" "$server/api/runs/$run/metrics/points.csv"
