#!/usr/bin/env bash
# Builds the functions, deploys the stack, and uploads the tools that builds need to its models bucket. Run by
# `make deploy`.
#
# The first time, SAM prompts for the parameters and saves the answers in samconfig.toml; from then on it only asks for
# confirmation of the changes. Needs sam, cargo-lambda and Zig on the PATH, AWS=<the AWS CLI>, PYTHON=<Python 3.11 or
# later>, and the static programs in STATIC=<folder>/<processor>/. Written for bash 3.2 too, which macOS has.
set -euo pipefail
cd "$(dirname "$0")/.."

config=samconfig.toml
: "${AWS:=aws}" "${PYTHON:=python3}" "${STATIC:=target/static}"
export SAM_CLI_TELEMETRY=${SAM_CLI_TELEMETRY:-0}

# Prints the value in samconfig.toml of a setting of `sam deploy` or of a parameter of the template, if there is one.
setting() {
  [[ -f $config ]] || return 0
  "$PYTHON" - "$config" "$1" <<'PYTHON'
import shlex, sys, tomllib

with open(sys.argv[1], "rb") as file:
    default = tomllib.load(file).get("default", {})
given = {**default.get("global", {}).get("parameters", {}), **default.get("deploy", {}).get("parameters", {})}
overrides = given.get("parameter_overrides", [])
overrides = shlex.split(overrides) if isinstance(overrides, str) else overrides
given.update(pair.split("=", 1) for pair in overrides)
print(given.get(sys.argv[2], ""))
PYTHON
}

build() {
  sam build --parameter-overrides "Architecture=$1"
}

# Builds run these programs and copy one into each image, so both must be for the models' processor.
need_tools() {
  local processor=x86_64
  [[ $(setting JobArchitecture) != ARM64 ]] || processor=arm64
  [[ -x $STATIC/$processor/dropcast && -x $STATIC/$processor/dropcast-job ]] && return
  echo "Models are built for $processor (JobArchitecture), but $STATIC/$processor contains no programs. Build them with" \
    "make deploy PROCESSORS=\"x86_64 arm64\"" >&2
  exit 1
}

need_tools
architecture=$(setting Architecture)
architecture=${ARCHITECTURE:-${architecture:-x86_64}}
build "$architecture"

# CAPABILITY_AUTO_EXPAND: the nested stacks use SAM's transform. Pressing Enter at all prompts means that later deployments
# ask for confirmation too: SAM's own default is not to ask.
guided=()
[[ -f $config ]] || guided=(--guided --capabilities CAPABILITY_IAM CAPABILITY_AUTO_EXPAND --confirm-changeset)
# bash 3.2 treats an empty array as unset.
sam deploy --no-fail-on-empty-changeset ${guided[@]+"${guided[@]}"}
stack=$(setting stack_name)
region=$(setting region)
[[ -n $stack ]] || { echo "The answers were not saved in $config, which the remaining steps need. Run it again and save them." >&2; exit 1; }

# SAM prompts for the architectures of functions and models after the programs were built.
deployed=$(setting Architecture)
if [[ -n $deployed && $deployed != "$architecture" ]]; then
  echo "The functions were built for $architecture but deployed for $deployed. Building and deploying again for $deployed."
  build "$deployed"
  sam deploy --no-fail-on-empty-changeset
fi
need_tools

bucket=$("$AWS" cloudformation describe-stacks ${region:+--region "$region"} --stack-name "$stack" --output text \
  --query "Stacks[0].Outputs[?OutputKey=='ModelsBucketName'].OutputValue")
tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT
cp infra/*buildspec.yml infra/build-model.sh infra/push-models.sh "$tools"
mkdir "$tools/bin"
for folder in "$STATIC"/*/; do
  cp -R "${folder%/}" "$tools/bin/"
done
"$AWS" s3 cp --only-show-errors --recursive ${region:+--region "$region"} "$tools" "s3://$bucket/tools/"
echo "The tools for builds are in s3://$bucket/tools/."
