#!/usr/bin/env bash
# run.sh: the Autobahn test suite against echoserver and echoclient where there
# is a wstest (in PATH, or $WSTEST), with its 517 cases: 514 OK and 3
# INFORMATIONAL, or it fails. Without one, the suite of this folder in its long
# form.
set -euo pipefail
cd "$(dirname "$0")/../.."

wstest=${WSTEST:-$(command -v wstest || true)}
if [ -z "$wstest" ]; then
	echo "== autobahn: no wstest here, neither in PATH nor as \$WSTEST: our own suite, long form"
	exec go test -count=1 -timeout 60m -v -run 'Totals|Server|Client|Attacks' ./tests/autobahn/suite -args -long
fi

dir=$(mktemp -d)
pids=()
finish() {
	for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
	rm -rf "$dir"
}
trap finish EXIT
go build -o "$dir" ./tests/autobahn/echoserver ./tests/autobahn/echoclient ./tests/autobahn/reports

# waitFor FILE TEXT: until the text is in the file, a minute at most.
waitFor() {
	for _ in $(seq 600); do
		grep -q "$2" "$1" && return
		sleep 0.1
	done
	echo "autobahn: $2 not in $1:" && cat "$1" && exit 1
}

echo "== autobahn: fuzzingclient against echoserver"
"$dir/echoserver" -addr 127.0.0.1:0 -deflate takeover >"$dir/echoserver.log" 2>&1 &
pids+=($!)
waitFor "$dir/echoserver.log" 'listening on'
addr=$(sed -n 's/^listening on //p' "$dir/echoserver.log")
cat >"$dir/client.json" <<JSON
{"outdir": "$dir/servers", "servers": [{"agent": "hermod", "url": "ws://$addr"}], "cases": ["*"], "exclude-cases": [], "exclude-agent-cases": {}}
JSON
"$wstest" -m fuzzingclient -s "$dir/client.json"
"$dir/reports" "$dir/servers/index.json" hermod

echo "== autobahn: fuzzingserver against echoclient"
port=${AUTOBAHN_PORT:-9001}
cat >"$dir/server.json" <<JSON
{"outdir": "$dir/clients", "url": "ws://127.0.0.1:$port", "cases": ["*"], "exclude-cases": [], "exclude-agent-cases": {}}
JSON
"$wstest" -m fuzzingserver -s "$dir/server.json" >"$dir/wstest.log" 2>&1 &
pids+=($!)
for _ in $(seq 600); do
	(exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break
	sleep 0.1
done
for case in $(seq 517); do
	"$dir/echoclient" "ws://127.0.0.1:$port/runCase?case=$case&agent=hermod"
done
"$dir/echoclient" "ws://127.0.0.1:$port/updateReports?agent=hermod"
"$dir/reports" "$dir/clients/index.json" hermod
