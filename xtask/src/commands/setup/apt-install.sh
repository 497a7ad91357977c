# Installs the Debian packages given as arguments without leaving a service of theirs behind.
# Run as root by `cargo xtask setup`.
set -eu
export DEBIAN_FRONTEND=noninteractive

# Debian asks this file before it starts a service; 101 means no. A machine that has one keeps it.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
fi

# The lists of a fresh machine are empty or old, those of any other are mostly good enough.
apt-get install -y --no-install-recommends "$@" || {
    apt-get update
    apt-get install -y --no-install-recommends "$@"
}

# The package enables its service for the next start of the machine.
if [ -d /run/systemd/system ]; then
    for package in "$@"; do
        systemctl disable "$package" 2>/dev/null || true
    done
fi
