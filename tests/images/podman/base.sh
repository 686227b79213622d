#!/usr/bin/env bash
# Makes the base image that a Dockerfile names (…/python:…-slim-bookworm) of Debian's own packages, where no registry of
# images is reached: the same distribution, with its own Python.
#
#   base.sh IMAGE
set -euo pipefail
root=$WORK/base/root
mkdir -p "$WORK/base"
debootstrap --variant=minbase --include=ca-certificates,python3,python3-pip,python3-venv bookworm "$root" \
  http://deb.debian.org/debian
# As in Python's own image: `python`, and a pip that installs for everybody.
ln -s python3 "$root/usr/bin/python"
rm "$root"/usr/lib/python3.*/EXTERNALLY-MANAGED
# What this machine trusts, pip trusts.
cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
printf 'FROM scratch\nADD root /\nCMD ["python"]\n' > "$WORK/base/Dockerfile"
"$(dirname "$0")/docker" build --tag "$1" "$WORK/base"
rm -rf "$WORK/base"
