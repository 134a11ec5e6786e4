#!/usr/bin/env bash
# gotest.sh NAME MIN ARG...: runs "go test ARG..." and fails unless every test
# passed, none was skipped and at least MIN ran.
set -euo pipefail
cd "$(dirname "$0")/../.."
name=$1 min=$2
shift 2

bin=$(mktemp -d)
trap 'rm -rf "$bin"' EXIT
env -u GOARCH -u GOOS -u GOFLAGS -u GOEXPERIMENT go build -C internal/tools -o "$bin/testreport" ./testreport

echo "== $name: go test $*"
go test -json "$@" | "$bin/testreport" -name "$name" -min "$min"
