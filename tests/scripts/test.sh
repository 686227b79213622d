#!/usr/bin/env bash
# Tests infra/'s build scripts with stand-ins for Docker and AWS (bin/ beside this file), and with the real dropcast and
# dropcast-job of BINARIES. Stops at the first test that fails.
set -euo pipefail
cd "$(dirname "$0")/../.."
binaries=$(cd "${BINARIES:-target/debug}" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

export PATH="$PWD/tests/scripts/bin:$PATH" CALLS=$work/calls S3=$work/s3 TOOLS=$work/tools
export MODELS_BUCKET=models IMAGE_REPOSITORY=123456789012.dkr.ecr.eu-west-1.amazonaws.com/images JOB_ARCHITECTURE=X86_64
export CODEBUILD_BUILD_ID=dropcast-models:0f5d3c1e-1111-4222-8333-123456789abc DROPCAST_WORK=$work/build
export MODEL_BUILDS=dropcast-models PAUSE_SECONDS=0 GIT_CONFIG_GLOBAL=/dev/null
mkdir -p "$TOOLS/bin/x86_64"
cp infra/*.sh "$TOOLS"
ln -s "$binaries"/dropcast{,-job} "$TOOLS/bin/x86_64/"

that() { echo "  $*"; }
fail() {
  echo "    $*" >&2
  exit 1
}
# Runs a step of a script, and checks how it ends and what it says.
step() {
  local end=$1 words=$2 script=$3 said status=0
  shift 3
  said=$("$TOOLS/$script" "$@" 2>&1) || status=$?
  [[ $end == succeeds && $status == 0 || $end == fails && $status != 0 ]] || fail "$script $* ended with $status: $said"
  [[ $said == *"$words"* ]] || fail "$script $* does not say '$words': $said"
}
called() { grep -qF -- "$1" "$CALLS" || fail "nobody called: $1"; }

model() {
  rm -rf "$work/model"
  mkdir -p "$work/model/examples"
  cd "$work/model"
  cat > model.toml <<TOML
name = "mean"
title = "Mean"
description = "Averages."

[input]
accepts = ["json"]
schema = "input.schema.json"

[job]
command = ["sh", "-c", "$1"]

[[outputs]]
path = "**/mean.*"
title = "The mean"
kind = "table"
required = true
TOML
  echo '{"type": "object"}' > input.schema.json
  echo '{"numbers": [1, 2]}' > examples/two.json
  echo 'FROM scratch' > Dockerfile
}

echo 'build-model.sh'
that 'a model that works becomes an image by digest and a version.json'
# The model's own shell expands it.
# shellcheck disable=SC2016
model 'mkdir $DROPCAST_OUTPUT_DIR/a && cp $DROPCAST_INPUT_FILE $DROPCAST_OUTPUT_DIR/a/mean.csv'
DROPCAST_MODEL=mean step succeeds 'is a model' build-model.sh check
step succeeds 'mean-20261102T000000-bbbbbbbb' build-model.sh build
called "--cache-from $IMAGE_REPOSITORY:mean-20261102T000000-bbbbbbbb"
step succeeds 'mean on ./examples/two.json' build-model.sh rehearse
step succeeds '@sha256:aaaa' build-model.sh push
DROPCAST_COMMIT=abc step succeeds 'Built mean' build-model.sh publish
version=$S3/s3://models/builds/${CODEBUILD_BUILD_ID#*:}/version.json
[[ $(jq -c 'keys' "$version") == '["buildId","builtAt","commit","image","inputSchema","manifest"]' ]] || fail "$(cat "$version")"
[[ $(jq -r .image "$version") == "$IMAGE_REPOSITORY@sha256:"* ]] || fail "$(cat "$version")"
jq -j .manifest "$version" | cmp - model.toml

that 'a build whose model is another than it was to be is told both names'
DROPCAST_MODEL=median step fails 'was to make the model median, and model.toml names the model mean' build-model.sh check
that 'nothing is pushed after a build that failed'
CODEBUILD_BUILD_SUCCEEDING=0 step fails 'nothing is pushed' build-model.sh push
that 'a folder without a Dockerfile or a manifest is told what is missing'
rm Dockerfile
step fails 'no Dockerfile' build-model.sh check
rm model.toml
step fails 'no model.toml' build-model.sh check
that 'a model that fails is shown with its exit code and last lines'
model 'echo out of luck; exit 7'
step succeeds '' build-model.sh check
step fails 'out of luck' build-model.sh rehearse
step fails 'exit code 7' build-model.sh rehearse
that 'a model that does not write what it declares is told which'
model 'true'
step succeeds '' build-model.sh check
step fails 'did not write “The mean” (**/mean.*)' build-model.sh rehearse
that 'a model without an example is told so'
rm -r examples
step succeeds '' build-model.sh check
step fails 'no example' build-model.sh rehearse

echo 'push-models.sh'
commit() { git add -A && git -c user.name=a -c user.email=a@corp.example commit -qm "$1" && git rev-parse HEAD; }
git init -q "$work/clone" && cd "$work/clone"
mkdir -p models/one models/two other
echo 'name = "one"' > models/one/model.toml
echo 'name = "two"' > models/two/model.toml
first=$(commit first)
that 'by hand, every model is built'
SOURCE_FOLDER=models step succeeds 'models/two/: SUCCEEDED' push-models.sh
called 'models/sources/one/'
that 'a push builds the models that it touched, and no other'
echo change > models/two/main.py
second=$(commit second)
: > "$CALLS"
SOURCE_FOLDER=models CODEBUILD_WEBHOOK_PREV_COMMIT=$first step succeeds 'models/two/: SUCCEEDED' push-models.sh
called 'models/sources/two/'
called "$second"
! grep -q sources/one "$CALLS" || fail 'one was built'
that 'a push beside the models builds none'
echo change > other/file
commit third > /dev/null
SOURCE_FOLDER=models CODEBUILD_WEBHOOK_PREV_COMMIT=$second step succeeds 'touched no model' push-models.sh
that 'a build that fails fails the push'
BUILD_STATUS=FAILED SOURCE_FOLDER=models step fails 'models/one/: FAILED' push-models.sh
that 'a name that no model can have stops that model, and the others are built'
echo 'name = "One"' > models/one/model.toml
commit fourth > /dev/null
SOURCE_FOLDER=models step fails "'One' is not a name" push-models.sh
SOURCE_FOLDER=models step fails 'models/two/: SUCCEEDED' push-models.sh
echo 'All hold.'
