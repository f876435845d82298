#!/bin/sh
# Check a day's exports, add them to the store, and watch its numbers: nightly.sh [YYYY-MM-DD]
#
# It prints what is wrong, and otherwise nothing, so that cron sends no mail. Exit code 0: nothing is
# wrong. 1: a finding of high severity, and nothing was added; or an alarm. 2: it could not be done.
# 75: another night is still running.
set -u
: "${EXPORTS:=/data/exports}" "${STORE:=/data/store}" "${NUMBERS:=/data/numbers.toml}"
: "${CONVERGEKIT:=/opt/convergekit/bin/convergekit}"
day=${1:-$(date -u -d yesterday +%F)} || exit 2

exec 9>"$STORE.lock" || exit 2
flock -n 9 || { echo "Another night is still running: $STORE.lock is locked."; exit 75; }

said=$(mktemp) || exit 2
trap 'rm -f "$said"' EXIT

# Run convergekit, and print what it says only if it fails.
quietly() {
  "$CONVERGEKIT" "$@" >"$said" 2>&1 9>&-
  code=$?
  [ "$code" -eq 0 ] || cat "$said"
  return "$code"
}

quietly check "$EXPORTS/$day"/* --fail-on high || exit
quietly add "$EXPORTS/$day"/* --store "$STORE" || exit 2
quietly watch "$NUMBERS" --store "$STORE" --until "$day" || exit
