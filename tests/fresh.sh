#!/usr/bin/env bash
# The fresh tier: both commands in an empty Debian 12 root made by debootstrap, from a clone of what is committed.
# Package sources, proxies and certificates come from this machine at run time. Ends with the inner run's own line.
set -euo pipefail
cd "$(dirname "$0")/.."
. tools/setup.sh
install_packages $FRESH_PACKAGES
[ "$(id -u)" = 0 ] || { say "./test fresh needs root (debootstrap, chroot)"; exit 3; }

root=$(mktemp -d "${TMPDIR:-/var/tmp}/chancery-fresh.XXXXXX")
chmod 755 "$root" # users other than root live in it too
leave() {
	local place
	for place in dev/pts dev proc sys; do
		mountpoint -q "$root/$place" && umount -l "$root/$place"
	done
	rm -rf --one-file-system "$root"
}
trap leave EXIT

# The first source this machine itself installs from.
home=$root/root
mirror=$(apt-get indextargets --format '$(SITE) $(CODENAME) $(COMPONENT)' 2>/dev/null | awk '$2 == "bookworm" && $3 == "main" { print $1; exit }')
say "debootstrap into an empty root"
debootstrap --variant=minbase --include=ca-certificates,git bookworm "$root" "$mirror" >"$root.log" 2>&1 || { tail -20 "$root.log"; exit 1; }
rm -f "$root.log"

cp -a /etc/apt/sources.list "$root/etc/apt/" 2>/dev/null || true
for folder in sources.list.d apt.conf.d trusted.gpg.d preferences.d; do
	[ -d "/etc/apt/$folder" ] && cp -aL "/etc/apt/$folder/." "$root/etc/apt/$folder/"
done
cp -aL /etc/ssl/certs/. "$root/etc/ssl/certs/" 2>/dev/null || true
mkdir -p "$root/usr/local/share/ca-certificates" && cp -aL /usr/local/share/ca-certificates/. "$root/usr/local/share/ca-certificates/" 2>/dev/null || true
cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
for file in "$HOME/.npmrc" /etc/npmrc /usr/local/etc/npmrc; do
	[ -f "$file" ] && cp -L "$file" "$home/.npmrc" && break
done
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount --bind /sys "$root/sys"

git clone -q . "$root/srv/chancery"
[ -d ../shared ] && cp -a ../shared "$root/srv/shared"

inside() {
	# Only what a machine may need to reach its packages; nothing else of this environment.
	env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 CI="${CI:-}" \
		$(env | grep -iE '^(https?_proxy|no_proxy|npm_config_[a-z_]+|NODE_EXTRA_CA_CERTS|SSL_CERT_FILE)=' || true) \
		chroot "$root" bash -c "cd /srv/chancery || exit 1
$1"
}

say "./run: must print the ready line and what to try"
inside './run >/tmp/run.out 2>/tmp/run.err & echo $! >/tmp/run.pid
	for second in $(seq 1 1800); do
		grep -q "Chancery is ready: http://localhost:8080" /tmp/run.out && break
		kill -0 $(cat /tmp/run.pid) 2>/dev/null || break
		read -rt 1 <> <(:) || true
	done
	cat /tmp/run.out
	grep -q "Chancery is ready: http://localhost:8080" /tmp/run.out || { tail -40 /tmp/run.err; exit 1; }
	kill $(cat /tmp/run.pid); wait' || { say "./run did not become ready in the empty root"; exit 1; }
say "./test"
inside './test'
