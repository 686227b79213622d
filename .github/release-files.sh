#!/usr/bin/env bash
# Puts what a release publishes into target/release-files: an archive of the programs for each processor, a software
# bill of materials, notes.md from CHANGELOG.md and the checksums.
# Usage: release-files.sh VERSION PROCESSOR…, after `make static` for these processors.
set -euo pipefail
version=$1
shift
files=target/release-files
tools=target/tools/bin

rm -rf "$files"
mkdir -p "$files"

# The changes of this version, as CHANGELOG.md has them: from its heading to the next.
awk -v heading="## [$version]" '
  index($0, "## ") == 1 { inside = index($0, heading) == 1; next }
  inside && !/^\[.*\]: / { print }
' CHANGELOG.md > "$files/notes.md"
if ! grep -q '[^[:space:]]' "$files/notes.md"; then
  echo "CHANGELOG.md has no heading \"## [$version] - DATE\" with changes below it. Write one." >&2
  exit 1
fi

built=$(cargo metadata --locked --no-deps --format-version 1 |
  python3 -c 'import json, sys
print(next(p["version"] for p in json.load(sys.stdin)["packages"] if p["name"] == "dropcast-cli"))')
if [[ $built != "$version" ]]; then
  echo "Cargo.toml says version $built, not $version. Set [workspace.package] version." >&2
  exit 1
fi

"$tools/cargo-about" generate --locked --workspace --fail --config about.toml \
  --output-file "$files/THIRD-PARTY-NOTICES.html" .github/notices.hbs
for package in dropcast-cli dropcast-job-runner; do
  "$tools/cargo-sbom" --cargo-package "$package" --output-format cyclone_dx_json_1_6 > "$files/$package-$version.cdx.json"
done

for processor in "$@"; do
  folder=dropcast-$version-linux-$processor
  mkdir "$files/$folder"
  cp "target/static/$processor/dropcast" "target/static/$processor/dropcast-job" LICENSE \
    "$files/THIRD-PARTY-NOTICES.html" "$files/$folder/"
  tar --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$(git log -1 --format=%ct)" \
    -C "$files" -cf - "$folder" | gzip --no-name > "$files/$folder.tar.gz"
  rm -r "${files:?}/$folder"
done
cd "$files"
sha256sum -- *.tar.gz *.cdx.json THIRD-PARTY-NOTICES.html > SHA256SUMS
