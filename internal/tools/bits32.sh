#!/usr/bin/env bash
# bits32.sh MIN PACKAGE...: runs the tests on 32 bits, at least MIN of them: as 386
# programs where the kernel runs those, else as arm programs in qemu.
set -euo pipefail
cd "$(dirname "$0")/../.."
min=$1
shift

if [ "$(go env GOOS)" != linux ]; then
	echo "== 32 bits: only Linux can run them, vet alone"
	GOOS=linux GOARCH=386 go vet "$@"
	exit
fi

probe=$(mktemp -d)
trap 'rm -rf "$probe"' EXIT
GOOS=linux GOARCH=386 go build -C internal/tools -o "$probe/hello" ./testreport
if "$probe/hello" -min 0 </dev/null >/dev/null 2>&1; then
	GOARCH=386 internal/tools/gotest.sh 386 "$min" -shuffle=on "$@"
	exit
fi

echo "== 32 bits: no 386 programs run here: arm in qemu, and vet for 386"
internal/tools/deps.sh qemu-arm
GOARCH=386 go vet "$@"
GOARCH=arm internal/tools/gotest.sh arm "$min" -exec qemu-arm -shuffle=on -timeout 20m "$@"
