#!/usr/bin/env bash
# deps.sh TOOL...: makes sure that the named programs are there. As root on
# Debian it installs what is missing; elsewhere it says what to type and fails.
# Tools: node, npm, cc (the race detector needs a C compiler), chromium,
# qemu-arm, redis-server (sentinels and Clusters are the same program), nginx,
# python-socketio (a client that the conformance tests run).
set -euo pipefail

# present TOOL: whether the program can be run.
present() {
	case $1 in
	chromium) [ -x "${CHROMIUM:-/usr/bin/chromium}" ] ;;
	python-socketio) "${PYTHON:-/usr/bin/python3}" -c 'import socketio, requests, websocket, aiohttp' 2>/dev/null ;;
	cc) command -v cc >/dev/null || command -v gcc >/dev/null || command -v clang >/dev/null ;;
	nginx) command -v nginx >/dev/null || [ -x /usr/sbin/nginx ] ;; # which not everyone has in the path
	*) command -v "$1" >/dev/null ;;
	esac
}

# packages TOOL: the Debian packages that bring it.
packages() {
	case $1 in
	cc) echo gcc libc6-dev ;;
	node) echo nodejs ;;
	qemu-arm) echo qemu-user ;;
	python-socketio) echo python3-socketio python3-requests python3-websocket python3-aiohttp ;;
	*) echo "$1" ;;
	esac
}

missing=() debs=()
for tool in "$@"; do
	if ! present "$tool"; then
		missing+=("$tool")
		read -ra more <<<"$(packages "$tool")"
		debs+=("${more[@]}")
	fi
done
[ ${#missing[@]} -gt 0 ] || exit 0

if [ "$(id -u)" -ne 0 ] || ! [ -e /etc/debian_version ] || ! command -v apt-get >/dev/null; then
	echo "missing: ${missing[*]}. On Debian or Ubuntu:" >&2
	echo "    sudo apt-get update && sudo apt-get install --no-install-recommends ${debs[*]}" >&2
	echo "Elsewhere install them as the system does; CHROMIUM=/path names another Chromium or Chrome, PYTHON=/path another Python." >&2
	exit 1
fi

echo "== installing ${debs[*]}"
export DEBIAN_FRONTEND=noninteractive
apt-get update -q
apt-get install -q -y --no-install-recommends "${debs[@]}"
for tool in "${missing[@]}"; do
	present "$tool" || { echo "$tool is still missing" >&2; exit 1; }
done
