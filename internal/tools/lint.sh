#!/usr/bin/env bash
# lint.sh: everything that is checked without running the program. All checks
# run; the exit status tells whether one of them complained.
set -uo pipefail
cd "$(dirname "$0")/../.."
failed=()

# check NAME COMMAND...: fails when the command does or when it prints anything
# to standard output.
check() {
	local name=$1 out status
	shift
	echo "== lint: $name"
	out=$("$@")
	status=$?
	if [ -n "$out" ] || [ $status -ne 0 ]; then
		[ -z "$out" ] || printf '%s\n' "$out"
		failed+=("$name")
	fi
}

go_files() { find . -name node_modules -prune -o -name testdata -prune -o -name '*.go' -print0; }
unformatted() { go_files | xargs -0 gofmt -l; }
# vet ENV...: vet for another system, of the packages that need no Redis: compiling its
# library takes a minute for each. "make vet-systems" looks at all.
vet() { env "$@" go vet -gcflags='all=-N -l' ./wscore/... ./engineio/... ./socketio/... ./internal/proc; }

check gofmt unformatted
check "go vet" go vet ./...
check "go vet, tools" go vet -C internal/tools ./...
check "go vet -tags poison,eager" go vet -tags poison,eager ./internal/bufpool/ ./wscore/
check "go vet -tags node" go vet -tags node ./tests/sioclient ./tests/soak ./tests/cluster/... ./tests/topology ./tests/program ./examples/mixed
check "go vet, windows, 32 bits" vet GOOS=windows GOARCH=386
check "go vet, darwin" vet GOOS=darwin GOARCH=arm64
check "go mod tidy" go mod tidy -diff
check "go mod tidy, tests/load/websocket" go mod tidy -C tests/load/websocket -diff
check "go mod tidy, zishang520" go mod tidy -C tests/load/peers/zishang520 -diff
check "go fix" go fix -diff ./...
check staticcheck go tool -modfile=internal/tools/go.mod staticcheck ./...

if [ ${#failed[@]} -gt 0 ]; then
	printf 'lint: FAIL:' && printf ' [%s]' "${failed[@]}" && echo
	exit 1
fi
echo "lint: ok"
