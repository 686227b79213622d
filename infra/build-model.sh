#!/usr/bin/env bash
# Builds one model's image, tries it out, pushes it and says so in version.json. Each step is a command of its own,
# run in the model's folder, in this order:
#
#   check     the manifest, the schemas and the examples hold together (`dropcast validate`)
#   build     the image is built
#   rehearse  the image runs the first accepted example of each format as a job would
#   push      the image gets its tag, and its digest
#   publish   s3://$MODELS_BUCKET/builds/<build>/version.json is written: register-version does the rest
#
# Needs docker, the AWS CLI, jq and Python 3.11 or later, and from CodeBuild: CODEBUILD_BUILD_ID, CODEBUILD_BUILD_SUCCEEDING,
# IMAGE_REPOSITORY, MODELS_BUCKET, JOB_ARCHITECTURE (X86_64 or ARM64). Of whoever started the build: DROPCAST_MODEL (the
# model that it must be) and DROPCAST_COMMIT, if they like.
set -euo pipefail

tools=$(cd "$(dirname "$0")" && pwd)
work=${DROPCAST_WORK:-/tmp/dropcast}
declared=$work/declared.json
checked=$work/checked.json
build_id=${CODEBUILD_BUILD_ID##*:}

case ${JOB_ARCHITECTURE:-X86_64} in
  X86_64) processor=x86_64 platform=linux/amd64 ;;
  ARM64) processor=arm64 platform=linux/arm64 ;;
  *) echo "JOB_ARCHITECTURE is ${JOB_ARCHITECTURE}; it must be X86_64 or ARM64." >&2; exit 2 ;;
esac
bin=$tools/bin/$processor

# The last line of a step that fails is what its owner reads first.
fail() {
  printf '%s\n' "$@" >&2
  exit 1
}

# A field of the manifest, or nothing.
manifest() { jq -r "$1 // empty" "$declared"; }

# The name that the image has on this machine.
local_image() { echo "model:$build_id"; }

log_in() {
  aws ecr get-login-password | docker login --username AWS --password-stdin "${IMAGE_REPOSITORY%%/*}" >/dev/null
}

check() {
  mkdir -p "$work"
  [[ -f model.toml ]] || fail 'There is no model.toml at the top of what was pushed.' \
    'Push the folder that holds model.toml.'
  [[ -f Dockerfile ]] || fail 'There is no Dockerfile beside model.toml.' \
    'One that works is written by: dropcast model init. docs/MODELS.md explains it.'
  # It says itself what is wrong. Once for people, once for the steps after.
  "$bin/dropcast" validate .
  "$bin/dropcast" validate . --json > "$checked"
  python3 -c 'import json, sys, tomllib; json.dump(tomllib.load(sys.stdin.buffer), sys.stdout)' < model.toml > "$declared"
  local name
  name=$(manifest .name)
  if [[ -n ${DROPCAST_MODEL:-} && $name != "$DROPCAST_MODEL" ]]; then
    fail "The build was to make the model $DROPCAST_MODEL, and model.toml names the model $name."
  fi
}

# The tag of the model's newest image, whose layers are used again; nothing for a new model. Tags begin with
# the model's name and their time, and a longer name that begins the same has no time in that place.
newest_tag() {
  local name=$1
  aws ecr describe-images --repository-name "${IMAGE_REPOSITORY#*/}" --filter tagStatus=TAGGED \
    --query 'imageDetails[].imageTags[]' --output json |
    jq -r --arg form "^$name-[0-9]{8}T[0-9]{6}-[0-9a-f]{8}\$" '[.[] | select(test($form))] | max // empty'
}

build() {
  local name previous cache=()
  name=$(manifest .name)
  log_in
  previous=$(newest_tag "$name")
  if [[ -n $previous ]]; then
    echo "Layers of $previous are used again where they can be."
    cache=(--cache-from "$IMAGE_REPOSITORY:$previous")
  fi
  # No attestation: with one, the digest would be of an index, of which AWS Batch needs nothing.
  DOCKER_BUILDKIT=1 docker build --platform "$platform" --provenance=false --pull \
    --build-arg BUILDKIT_INLINE_CACHE=1 "${cache[@]}" --build-context "dropcast-job=$bin" \
    --tag "$(local_image)" .
}

# Runs one example in the image as a job would run it.
rehearse_one() {
  local example=$1 format=$2 stage=$3 name prepared command missing
  name=$(basename "$example")
  prepared=$name
  [[ $format == json ]] || prepared=${name%.*}.csv
  rm -rf "$stage"
  mkdir -p "$stage"/{input,original,output,cache}
  "$bin/dropcast" validate "$example" --model . --clean "$stage/input/$prepared" > /dev/null
  cp "$example" "$stage/original/$name"
  # The image's own user has to write here.
  chmod -R a+rwX "$stage"
  readarray -t command < <(jq -r '.job.command[]' "$declared")
  echo "Rehearsing with $example"
  docker run --rm --platform "$platform" --cap-drop ALL --security-opt no-new-privileges \
    --memory "$(manifest .job.memory_mib)m" --volume "$stage:/rehearsal" \
    --env DROPCAST_RUN_ID=rehearsal --env "DROPCAST_MODEL=$(manifest .name)" --env DROPCAST_VERSION=0 \
    "$(local_image)" dropcast-job --rehearse /rehearsal -- "${command[@]}" ||
    fail "The model failed with $example (exit code $?). Its last lines are above." \
      "Run it at home: dropcast model test . --input $example"
  missing=$(missing_outputs "$stage/files.jsonl")
  [[ -z $missing ]] || fail "With $example the model did not write what it declares as required: $missing." \
    'Write it into the folder that DROPCAST_OUTPUT_DIR names, or take "required" away in model.toml.'
}

# The patterns of required outputs that no file of a listing fits, separated by commas.
missing_outputs() {
  python3 - "$declared" "$1" <<'PYTHON'
import json, re, sys

SIGNS = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}

def fits(pattern, path):
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", pattern)
    return re.fullmatch("".join(SIGNS.get(part, re.escape(part)) for part in parts), path)

declared = json.load(open(sys.argv[1], encoding="utf-8"))
paths = [json.loads(line)["path"] for line in open(sys.argv[2], encoding="utf-8")]
patterns = [output["path"] for output in declared.get("outputs", []) if output.get("required")]
# Alternatives and classes are for index-outputs to judge, at the first run.
missing = [p for p in patterns if not re.search(r"[\[{]", p) and not any(fits(p, path) for path in paths)]
print(", ".join(missing))
PYTHON
}

rehearse() {
  local example format rehearsed=0
  while IFS=$'\t' read -r format example; do
    rehearse_one "$example" "$format" "$work/rehearsal-$format" < /dev/null
    rehearsed=$((rehearsed + 1))
  done < <(jq -r '[.examples[] | select(.expected == "accepted")] | group_by(.reading.format)[]
    | .[0] | "\(.reading.format)\t\(.file)"' "$checked")
  ((rehearsed > 0)) || fail 'There is no example to try the image out with.' \
    'Put an input that the model accepts into the folder examples/.'
}

push() {
  # CodeBuild comes here after a failed build too, unless its buildspec says otherwise.
  [[ ${CODEBUILD_BUILD_SUCCEEDING:-1} == 1 ]] || fail 'The build failed before: nothing is pushed.'
  local tag
  tag="$(manifest .name)-$(date -u +%Y%m%dT%H%M%S)-${build_id:0:8}"
  log_in
  docker tag "$(local_image)" "$IMAGE_REPOSITORY:$tag"
  docker push --quiet "$IMAGE_REPOSITORY:$tag"
  docker image inspect --format '{{range .RepoDigests}}{{println .}}{{end}}' "$IMAGE_REPOSITORY:$tag" |
    grep --fixed-strings --max-count=1 "$IMAGE_REPOSITORY@sha256:" > "$work/image" ||
    fail "The digest of $IMAGE_REPOSITORY:$tag is not known after its push."
  cat "$work/image"
}

publish() {
  local row_schema
  row_schema=$(manifest .input.table.schema)
  jq -n --arg buildId "$build_id" --arg image "$(cat "$work/image")" --arg commit "${DROPCAST_COMMIT:-}" \
    --arg builtAt "$(date -u +%Y-%m-%dT%H:%M:%SZ)" --rawfile manifest model.toml \
    --rawfile inputSchema "$(manifest .input.schema)" --rawfile rowSchema "${row_schema:-/dev/null}" \
    '{buildId: $buildId, image: $image, commit: $commit, builtAt: $builtAt, manifest: $manifest,
      inputSchema: $inputSchema, rowSchema: $rowSchema} | with_entries(select(.value != ""))' > "$work/version.json"
  aws s3 cp --only-show-errors --content-type application/json \
    "$work/version.json" "s3://$MODELS_BUCKET/builds/$build_id/version.json"
  echo "Built $(manifest .name) as $(cat "$work/image")."
}

case ${1:-} in
  check | build | rehearse | push | publish) "$1" ;;
  *) echo "usage: ${0##*/} check|build|rehearse|push|publish" >&2; exit 2 ;;
esac
