# Shared by ./run and ./test: installs what is missing. Sourced, not run.
# shellcheck shell=bash

BUILD_PACKAGES="gcc pkg-config meson ninja-build python3 iso-codes npm nodejs
 libmicrohttpd-dev libsqlite3-dev libpq-dev libjansson-dev libxml2-dev libgeos-dev libgmime-3.0-dev
 libcurl4-openssl-dev libicu-dev libcmark-gfm-dev libcmark-gfm-extensions-dev libsodium-dev libargon2-dev
 tzdata libpcre2-dev libcmocka-dev libqrencode-dev zlib1g-dev libssl-dev"
TEST_PACKAGES="clang libclang-rt-14-dev postgresql postgresql-15-postgis-3 postfix nginx-light chromium
 oathtool poppler-utils fonts-noto-core openssl libosmogsm18 libgammu8 libsmpp34-1"
FRESH_PACKAGES="debootstrap"

say() { printf '%s\n' "$*" >&2; }

# Debian's own packages named here that are not installed yet. npm and nodejs count as there when the commands are.
missing_packages() {
	local package
	for package in "$@"; do
		case "$package" in
		npm | nodejs) command -v "${package/nodejs/node}" >/dev/null && continue ;;
		esac
		dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || printf '%s ' "$package"
	done
}

install_packages() {
	local missing sudo=""
	# shellcheck disable=SC2086
	missing=$(missing_packages $*)
	[ -z "$missing" ] && return 0
	[ "$(id -u)" = 0 ] || sudo=sudo
	say "Installing: $missing"
	# Services that packages would start are not wanted: tests start their own.
	if [ ! -e /usr/sbin/policy-rc.d ] && [ "$(id -u)" = 0 ]; then
		printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
		chmod +x /usr/sbin/policy-rc.d
		trap 'rm -f /usr/sbin/policy-rc.d' EXIT
	fi
	$sudo apt-get update -q >&2 || say "The package lists could not be refreshed; trying with what is there."
	# shellcheck disable=SC2086
	$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing >&2 || {
		say "These packages are needed and could not be installed: $missing"
		exit 3
	}
	if grep -q 'exit 101' /usr/sbin/policy-rc.d 2>/dev/null; then
		rm -f /usr/sbin/policy-rc.d
		trap - EXIT
	fi
}

# The data and test packages of package-lock.json; again only when the lock file changed.
install_npm() {
	local stamp=node_modules/.chancery-lock
	if [ ! -f "$stamp" ] || ! cmp -s package-lock.json "$stamp"; then
		say "Fetching the npm packages of package-lock.json"
		npm ci --no-audit --no-fund --loglevel=error >&2 || exit 3
		cp package-lock.json "$stamp"
	fi
}

# build FOLDER [MESON OPTIONS...]: configures once, then builds.
build() {
	local folder=$1
	shift
	if [ ! -f "$folder/build.ninja" ]; then
		meson setup "$folder" "$@" >&2 || exit 3
	fi
	ninja -C "$folder" >&2 || exit 3
}
