#!/usr/bin/env bash
# Checks the features of dependencies. The dependencies that `make demo` compiles must have the same features as in the
# tests: with others, cargo would compile the crate again for `make test`, and all that depend on it. Prints each crate
# where they differ.
set -euo pipefail
cd "$(dirname "$0")/../.."

# Name, version and features of each crate of a build, without the repository's own.
crates() {
  cargo tree --locked --quiet --prefix none --format '{p} {f}' "$@" | sed 's/ (\*)$//' | grep -v "($PWD/" | sort -u
}

differing=$(comm -23 <(crates --edges normal,build --no-default-features) <(crates --workspace --edges normal,build,dev))
if [[ -n $differing ]]; then
  echo 'The tests enable other features of these crates than the programs do. Enable the same features for both in Cargo.toml:' >&2
  echo "$differing" >&2
  exit 1
fi

# The use cases call no AWS service, and are built without the SDK.
tree=$(cargo tree --locked --quiet --prefix none --edges normal --package dropcast-app)
sdk=$(grep -E '^aws-' <<< "$tree" | sort -u || true)
if [[ -n $sdk ]]; then
  echo 'dropcast-app depends on crates of the AWS SDK. Put the dependency behind a feature that dropcast-app does not enable:' >&2
  echo "$sdk" >&2
  exit 1
fi
