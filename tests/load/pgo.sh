#!/usr/bin/env bash
# pgo.sh FILE: drives benchapp with what servers do and writes where its processor
# time went to FILE, for "go build -pgo=FILE".
set -euo pipefail
cd "$(dirname "$0")/../.."
out=$1
build=tests/load/build
profiles=$(mktemp -d)
trap 'rm -rf "$profiles"' EXIT

# record NAME APPARGS LOADARGS...: a profile of one kind of work.
record() {
	local name=$1 app=$2 port
	shift 2
	port=$((20000 + RANDOM % 10000))
	PORT=$port $build/benchapp -cpuprofile "$profiles/$name" $app &
	local pid=$!
	for _ in $(seq 100); do
		(: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break
		sleep 0.1
	done
	$build/sioload -addr "127.0.0.1:$port" -pid $pid -dur 8s "$@" >/dev/null || { kill $pid; exit 1; }
	kill $pid
	wait $pid
}

record echo "" -s echo
record window "" -s echo -w 10
record json "" -s echo -payload json
record json1k "" -s echo -payload json1k
record binary "" -s echo -payload bin
record raw -raw -s echo
record broadcast "" -s rooms -n 1000
record rooms "" -s rooms -rooms 200 -members 10 -n 2000
record many "" -s rooms -n 1000 -w 8
record polling "" -s echo -polling
record connect "" -s connect -n 4000
PARSER=msgpack record msgpack "" -s echo -payload msgpack
go tool pprof -proto -output="$out" "$profiles"/*
