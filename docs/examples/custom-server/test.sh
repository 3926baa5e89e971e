#!/usr/bin/env bash
# test.sh <custom-server>: moves amounts through a running server, and ends it.
set -euo pipefail

directory=$(mktemp -d)
cd "$directory"
"$1" > output &
server=$!
trap '{ kill $server; wait $server; } 2> /dev/null || true; rm -rf "$directory"' EXIT
until grep -q port output; do
  kill -0 $server  # Fails if the server has ended.
  sleep 0.05
done
exec 3<> "/dev/tcp/127.0.0.1/$(sed -n 's/port //p' output)"
for move in "30 ok" "70 url:in return failed: too much for Ben FAILURE" "5 ok"; do
  echo "${move%% *}" >&3
  read -r answer <&3
  if [[ $answer != "${move#* }" ]]; then
    echo "${move%% *} is answered with '$answer'" >&2
    exit 1
  fi
done
kill $server
wait $server
grep -x "Ann has 65, Ben has 35" output
