#!/usr/bin/env bash
# nodetest.sh NAME MIN COMMAND...: runs a command that ends with the summary of
# Node's test runner and fails unless every test passed, none was skipped and
# at least MIN ran.
set -euo pipefail
cd "$(dirname "$0")/../.."
name=$1 min=$2
shift 2

log=$(mktemp)
trap 'rm -f "$log"' EXIT

# total WORD: the sum of the summary lines "# WORD n" or "ℹ WORD n".
total() {
	sed -E 's/\x1b\[[0-9;]*m//g' "$log" |
		awk -v word="$1" '($1 == "#" || $1 == "ℹ") && $2 == word { n += $3 } END { print n + 0 }'
}

echo "== $name: $*"
status=0
"$@" 2>&1 | tee "$log" || status=$?

if [ "$status" -ne 0 ]; then
	echo "$name: ended with status $status" >&2
	exit 1
fi
for word in fail cancelled skipped todo; do
	if [ "$(total $word)" -ne 0 ]; then
		echo "$name: $(total $word) tests are counted as $word; none may be" >&2
		exit 1
	fi
done
if [ "$(total pass)" -lt "$min" ]; then
	echo "$name: only $(total pass) tests passed, there must be $min" >&2
	exit 1
fi
