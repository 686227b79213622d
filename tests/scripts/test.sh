#!/usr/bin/env bash
# Tests infra/'s scripts with stand-ins for Docker, AWS and SAM (bin/ beside this file), and with the real dropcast and
# dropcast-job of BINARIES. Stops at the first test that fails.
set -euo pipefail
cd "$(dirname "$0")/../.."
binaries=$(cd "${BINARIES:-target/debug}" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

stand_ins=$PWD/tests/scripts/bin
export PATH="$stand_ins:$PATH" CALLS=$work/calls S3=$work/s3 TOOLS=$work/infra
export MODELS_BUCKET=models IMAGE_REPOSITORY=123456789012.dkr.ecr.eu-west-1.amazonaws.com/images JOB_ARCHITECTURE=X86_64 JOB_PLATFORM=FARGATE
export CODEBUILD_BUILD_ID=dropcast-models:0f5d3c1e-1111-4222-8333-123456789abc DROPCAST_WORK=$work/build
export MODEL_BUILDS=dropcast-models PAUSE_SECONDS=0 GIT_CONFIG_GLOBAL=/dev/null STATIC=$TOOLS/bin
mkdir -p "$TOOLS/bin/x86_64"
cp infra/*.sh infra/*.py infra/*buildspec.yml "$TOOLS"
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
DROPCAST_MODEL=mean step succeeds 'is a valid model' build-model.sh check
step succeeds 'mean-20261102T000000-bbbbbbbb' build-model.sh build
called "--cache-from $IMAGE_REPOSITORY:mean-20261102T000000-bbbbbbbb"
step succeeds 'mean on ./examples/two.json' build-model.sh local-run
# What a job has whose manifest leaves memory_mib out.
called '--memory=2048m'
step succeeds '@sha256:aaaa' build-model.sh push
DROPCAST_COMMIT=abc step succeeds 'Built mean' build-model.sh publish
version=$S3/s3://models/builds/${CODEBUILD_BUILD_ID#*:}/version.json
# What an expression says of version.json.
of_version() { python3 -c 'import json, sys; v = json.load(sys.stdin); sys.stdout.write('"$1"')' < "$version"; }
[[ $(of_version '",".join(sorted(v))') == buildId,builtAt,commit,image,inputSchema,manifest ]] || fail "$(cat "$version")"
[[ $(of_version 'v["image"]') == "$IMAGE_REPOSITORY@sha256:"* ]] || fail "$(cat "$version")"
of_version 'v["manifest"]' | cmp - model.toml

that 'a build whose model is another than it was to be is told both names'
DROPCAST_MODEL=median step fails 'is for the model median, but the name in model.toml is mean' build-model.sh check
that 'a size that Fargate lacks is told before anything is built'
sed -i 's/^command = /vcpus = 3\n&/' model.toml
step fails 'vcpus = 4 with memory_mib = 8192' build-model.sh check
JOB_PLATFORM=EC2 step succeeds 'is a valid model' build-model.sh check
that 'an image whose digest the registry does not tell is no version'
IMAGE_IS_GONE=1 step fails 'the registry does not return the digest' build-model.sh push
that 'nothing is pushed after a build that failed'
CODEBUILD_BUILD_SUCCEEDING=0 step fails 'so nothing is pushed' build-model.sh push
that 'a folder without a Dockerfile or a manifest is told what is missing'
rm Dockerfile
step fails 'no Dockerfile' build-model.sh check
rm model.toml
step fails 'no model.toml' build-model.sh check
that 'a model that fails is shown with its exit code and last lines'
model 'echo out of luck; exit 7'
step succeeds '' build-model.sh check
step fails 'out of luck' build-model.sh local-run
step fails 'exit code 7' build-model.sh local-run
that 'a model that does not write what it declares is told which'
model 'true'
step succeeds '' build-model.sh check
step fails 'did not write “The mean” (**/mean.*)' build-model.sh local-run
that 'a model without an example is told so'
rm -r examples
step succeeds '' build-model.sh check
step fails 'no example' build-model.sh local-run

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
that 'the same content is the same bytes, whenever and from whichever commit it is zipped'
times() { python3 -c 'import sys, zipfile; print({item.date_time for item in zipfile.ZipFile(sys.argv[1]).infolist()})' "$@"; }
[[ $(times "$S3"/s3://models/sources/two/*.zip) == '{(1980, 1, 1, 0, 0, 0)}' ]] || fail "$(times "$S3"/s3://models/sources/two/*.zip)"
SOURCE_FOLDER=models step succeeds 'models/one/: SUCCEEDED' push-models.sh
zips=("$S3"/s3://models/sources/one/*.zip)
[[ ${#zips[@]} == 1 ]] || fail "${zips[*]}"
that 'a folder may have any name that Git has'
mkdir 'models/pré vision'
echo 'name = "prevision"' > 'models/pré vision/model.toml'
accented=$(commit accented)
SOURCE_FOLDER=models CODEBUILD_WEBHOOK_PREV_COMMIT=$second step succeeds 'models/pré vision/: SUCCEEDED' push-models.sh
called 'models/sources/prevision/'
second=$accented
that 'a push beside the models builds none'
echo change > other/file
commit third > /dev/null
SOURCE_FOLDER=models CODEBUILD_WEBHOOK_PREV_COMMIT=$second step succeeds 'changed no model' push-models.sh
that 'a build that fails fails the push'
BUILD_STATUS=FAILED SOURCE_FOLDER=models step fails 'models/one/: FAILED' push-models.sh
that 'a full queue of builds and a call that fails are waited out'
touch "$work/full" "$work/away"
QUEUE_IS_FULL=$work/full AWS_IS_AWAY=$work/away SOURCE_FOLDER=models step succeeds 'models/one/: SUCCEEDED' push-models.sh
[[ ! -e $work/full && ! -e $work/away ]] || fail 'nobody saw it'
that 'a build of which nothing is known fails the push'
BUILD_STATUS=None SOURCE_FOLDER=models step fails 'models/one/: None' push-models.sh
that 'a name that no model can have stops that model, and the others are built'
echo 'name = "One"' > models/one/model.toml
commit fourth > /dev/null
SOURCE_FOLDER=models step fails "'One' is not a valid model name" push-models.sh
SOURCE_FOLDER=models step fails 'models/two/: SUCCEEDED' push-models.sh

echo 'deploy.sh'
answers() { printf '[default.deploy.parameters]\nstack_name = "dropcast"\nparameter_overrides = "%s"\n' "$1"; }
that 'what builds work with is uploaded, with the programs of each processor'
ANSWERS=$(answers '') step succeeds 's3://models/tools/' deploy.sh
called 'sam deploy --no-fail-on-empty-changeset --guided --capabilities CAPABILITY_IAM CAPABILITY_AUTO_EXPAND --confirm-changeset'
for tool in buildspec.yml repository.buildspec.yml build-model.sh push-models.sh bin/x86_64/dropcast-job; do
  [[ -e $S3/s3://models/tools/$tool ]] || fail "$tool was not uploaded"
done
that 'a later deployment is not guided'
: > "$CALLS"
step succeeds 's3://models/tools/' deploy.sh
! grep -q guided "$CALLS" || fail "$(cat "$CALLS")"
that 'models on a processor without programs for it are refused, before anything is built if that is known'
answers 'Compute=FARGATE JobArchitecture=ARM64' > "$work/samconfig.toml"
: > "$CALLS"
step fails 'make deploy PROCESSORS="x86_64 arm64"' deploy.sh
[[ ! -s $CALLS ]] || fail "$(cat "$CALLS")"
rm "$work/samconfig.toml"
ANSWERS=$(answers 'JobArchitecture=ARM64') step fails 'make deploy PROCESSORS="x86_64 arm64"' deploy.sh
! grep -q '^aws s3' "$CALLS" || fail "$(cat "$CALLS")"
mkdir "$STATIC/arm64"
ln -s "$binaries"/dropcast{,-job} "$STATIC/arm64/"
step succeeds 's3://models/tools/' deploy.sh

echo 'redrive.py'
# Named, because a Python that pyenv starts looks in its own folder first.
export AWS=$stand_ins/aws
that 'a look ends though messages come back while it lasts'
step succeeds 'Messages: 1, perhaps more' redrive.py dropcast intake
that 'a queue that no deployment has is not looked for'
step fails 'invalid choice' redrive.py dropcast inbox
echo 'All hold.'
