#!/bin/sh
# Builds the Collector of builder.yaml into build/collector; called by `make collector`.
set -eu
cd "$(dirname "$0")"
export GOFLAGS="${GOFLAGS:-} -buildvcs=false"
mkdir -p ../build
log=../build/collector.log
if ! go tool -modfile=tools/go.mod builder --config builder.yaml >"$log" 2>&1; then
  tail -n 20 "$log"
  echo "collector: could not be built"
  exit 1
fi
touch ../build/collector/otelcol-actorscope
echo "collector: build/collector/otelcol-actorscope"
