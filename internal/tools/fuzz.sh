#!/usr/bin/env bash
# fuzz.sh TIME [first]: fuzzes every target for TIME (10s, 10m, or 1000x for a
# number of inputs), or with "first" only the first target of each package.
set -euo pipefail
cd "$(dirname "$0")/../.."
time=$1 which=${2:-all}
said=$(mktemp)
trap 'rm -f "$said"' EXIT

# Go 1.26 now and then fails a run that ends by time with that alone (go.dev/issue/75804).
ended() {
	grep -q '^ *context deadline exceeded$' "$said" && ! grep -q 'Failing input' "$said"
}

n=0
while IFS= read -r dir; do
	targets=$(grep -ho '^func Fuzz[A-Za-z0-9_]*(' "$dir"/*_test.go | sed 's/^func //; s/($//')
	[ "$which" = all ] || targets=$(head -n 1 <<<"$targets")
	for target in $targets; do
		echo "== fuzz: $dir $target, $time"
		go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" "$dir" 2>&1 | tee "$said" || ended
		n=$((n + 1))
	done
done < <(grep -rl --include='*_test.go' --exclude-dir=node_modules '^func Fuzz' . | xargs -r -n 1 dirname | sort -u)

if [ "$n" -eq 0 ]; then
	echo "fuzz: no target was found" >&2
	exit 1
fi
echo "fuzz: $n targets, no finding"
