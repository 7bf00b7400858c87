#!/bin/sh
# Checks what is written in Go; called by `make collector-check`. Ends with 3 where modules cannot be had.
set -eu
cd "$(dirname "$0")"
export GOFLAGS="${GOFLAGS:-} -buildvcs=false"
tool="go tool -modfile=tools/go.mod"

if ! { go mod download && go mod download -modfile=tools/go.mod; } >/dev/null 2>&1; then
  echo "collector: not checked: its modules could not be had"
  exit 3
fi
unformatted=$(gofmt -l .)
[ -z "$unformatted" ] || { echo "collector: gofmt -w $unformatted"; exit 1; }
go vet ./...
$tool staticcheck ./...

# Generated files are those of the metadata: they are written anew and must not change.
written() { find actorscopeprocessor actorscopeconnector -name 'generated_*' -o -name 'documentation.md' -o -name 'README.md' | sort | xargs cksum; }
before=$(written)
for component in actorscopeprocessor actorscopeconnector; do
  go generate "./$component"
done
[ "$before" = "$(written)" ] || { echo "collector: generated files were old; they are renewed: look at them and commit them"; exit 1; }

race=
if [ "$(go env CGO_ENABLED)" = 1 ] && command -v "$(go env CC)" >/dev/null 2>&1; then race=-race; fi
go test $race ./...
for package in $(grep -rl --include='*_test.go' '^func Fuzz' . | xargs -r -n 1 dirname | sort -u); do
  for target in $(grep -ho '^func Fuzz[A-Za-z0-9_]*' "$package"/*_test.go | cut -c 6-); do
    said=$(go test -run '^$' -fuzz "^$target\$" -fuzztime "${FUZZ_TIME:-5s}" "$package" 2>&1) || { echo "$said"; exit 1; }
  done
done
echo "collector: checked"
