#!/bin/sh
# Builds the Collector of builder.yaml into build/collector; called by `make collector`. Ends with 3 where modules cannot be had.
set -eu
cd "$(dirname "$0")"
export GOFLAGS="${GOFLAGS:-} -buildvcs=false"
if ! { go mod download && go mod download -modfile=tools/go.mod; } >/dev/null 2>&1; then
  echo "collector: not built: its modules could not be had"
  exit 3
fi
mkdir -p ../build
log=../build/collector.log
if ! go tool -modfile=tools/go.mod builder --config builder.yaml >"$log" 2>&1; then
  tail -n 20 "$log"
  echo "collector: could not be built"
  exit 1
fi
touch ../build/collector/otelcol-actorscope
echo "collector: build/collector/otelcol-actorscope"
