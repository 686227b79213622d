#!/usr/bin/env bash
# Builds one model's image, tests it, pushes it and writes version.json. Each step is a separate command,
# run in the model's folder, in this order:
#
#   check     the manifest, the schemas and the examples are valid (`dropcast validate`)
#   build     the image is built
#   local-run the image runs the first accepted example of each format as a job would (`dropcast model test`)
#   push      the image is pushed under its tag, which gives its digest
#   publish   s3://$MODELS_BUCKET/builds/<build>/version.json is written (`dropcast model describe`): register-version does the rest
#
# Needs docker, the AWS CLI and Python 3, and from CodeBuild: CODEBUILD_BUILD_ID, CODEBUILD_BUILD_SUCCEEDING,
# IMAGE_REPOSITORY, MODELS_BUCKET, JOB_ARCHITECTURE (X86_64 or ARM64), JOB_PLATFORM (FARGATE; EC2 has every size). The
# caller who starts the build may set DROPCAST_MODEL (the expected model) and DROPCAST_COMMIT.
set -euo pipefail

tools=$(cd "$(dirname "$0")" && pwd)
work=${DROPCAST_WORK:-/tmp/dropcast}
checked=$work/checked.json
build_id=${CODEBUILD_BUILD_ID##*:}
repository=${IMAGE_REPOSITORY#*/}

case ${JOB_ARCHITECTURE:-X86_64} in
  X86_64) processor=x86_64 platform=linux/amd64 ;;
  ARM64) processor=arm64 platform=linux/arm64 ;;
  *) echo "JOB_ARCHITECTURE is ${JOB_ARCHITECTURE}; it must be X86_64 or ARM64." >&2; exit 2 ;;
esac
bin=$tools/bin/$processor

# The owner of a failed build reads the last line of its failed step first.
fail() {
  printf '%s\n' "$@" >&2
  exit 1
}

# The model's name.
name() { python3 -c 'import json, sys; print(json.load(sys.stdin)["model"])' < "$checked"; }

# The name of the image on this machine.
local_image() { echo "model:$build_id"; }

log_in() {
  aws ecr get-login-password | docker login --username AWS --password-stdin "${IMAGE_REPOSITORY%%/*}" >/dev/null
}

check() {
  mkdir -p "$work"
  [[ -f model.toml ]] || fail 'There is no model.toml in the top folder of the pushed source.' \
    'Push the folder that contains model.toml.'
  [[ -f Dockerfile ]] || fail 'There is no Dockerfile next to model.toml.' \
    'dropcast model init creates one that works; docs/MODELS.md explains it.'
  # It prints what is wrong. Once for people, once for the following steps.
  "$bin/dropcast" validate . --platform "${JOB_PLATFORM:-EC2}"
  "$bin/dropcast" validate . --platform "${JOB_PLATFORM:-EC2}" --json > "$checked"
  if [[ -n ${DROPCAST_MODEL:-} && $(name) != "$DROPCAST_MODEL" ]]; then
    fail "The build is for the model $DROPCAST_MODEL, but the name in model.toml is $(name)."
  fi
}

# Prints the tag of the model's newest image, whose layers are reused; nothing for a new model. Tags begin with
# the model's name and a time, which distinguishes them from those of models with longer names.
newest_tag() {
  local name=$1
  aws ecr describe-images --repository-name "$repository" --filter tagStatus=TAGGED \
    --query 'imageDetails[].imageTags[]' --output text | tr '\t' '\n' |
    { grep -E "^$name-[0-9]{8}T[0-9]{6}-[0-9a-f]{8}$" || true; } | LC_ALL=C sort | tail -n 1
}

build() {
  local previous cache=()
  log_in
  previous=$(newest_tag "$(name)")
  if [[ -n $previous ]]; then
    echo "Layers of $previous are reused where possible."
    cache=(--cache-from "$IMAGE_REPOSITORY:$previous")
  fi
  # No attestation: with one, the digest would be that of an index, which AWS Batch does not need.
  DOCKER_BUILDKIT=1 docker build --platform "$platform" --provenance=false --pull \
    --build-arg BUILDKIT_INLINE_CACHE=1 "${cache[@]}" --build-context "dropcast-job=$bin" \
    --tag "$(local_image)" .
}

local-run() {
  "$bin/dropcast" model test . --image "$(local_image)"
}

push() {
  # CodeBuild runs this after a failed build too, unless its buildspec says otherwise.
  [[ ${CODEBUILD_BUILD_SUCCEEDING:-1} == 1 ]] || fail 'The build failed in an earlier phase, so nothing is pushed.'
  local tag
  tag="$(name)-$(date -u +%Y%m%dT%H%M%S)-${build_id:0:8}"
  log_in
  docker tag "$(local_image)" "$IMAGE_REPOSITORY:$tag"
  docker push --quiet "$IMAGE_REPOSITORY:$tag"
  # Ask the registry, because the digest that Docker reports depends on its image store.
  local digest
  digest=$(aws ecr describe-images --repository-name "$repository" --image-ids "imageTag=$tag" \
    --query 'imageDetails[0].imageDigest' --output text) || digest=
  [[ $digest == sha256:* ]] || fail "The image was pushed, but the registry does not return the digest of $IMAGE_REPOSITORY:$tag."
  echo "$IMAGE_REPOSITORY@$digest" > "$work/image"
  cat "$work/image"
}

publish() {
  "$bin/dropcast" model describe . --build-id "$build_id" --image "$(cat "$work/image")" \
    --commit "${DROPCAST_COMMIT:-}" > "$work/version.json"
  aws s3 cp --only-show-errors --content-type application/json \
    "$work/version.json" "s3://$MODELS_BUCKET/builds/$build_id/version.json"
  echo "Built $(name) as $(cat "$work/image")."
}

case ${1:-} in
  check | build | local-run | push | publish) "$1" ;;
  *) echo "usage: ${0##*/} check|build|local-run|push|publish" >&2; exit 2 ;;
esac
