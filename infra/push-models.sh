#!/usr/bin/env bash
# Starts a build for each model folder that a push to Git changed, as `dropcast model push` would, and waits for the results.
#
# Run in a clone. Needs Git 2.41, Python 3.11 and the AWS CLI, and from CodeBuild: MODELS_BUCKET, MODEL_BUILDS (the
# project that builds models), SOURCE_FOLDER (where the models are; empty for everywhere),
# CODEBUILD_RESOLVED_SOURCE_VERSION, and of the webhook CODEBUILD_WEBHOOK_PREV_COMMIT and
# CODEBUILD_WEBHOOK_ACTOR_ACCOUNT_ID. If it is started manually, without a webhook, it builds every model.
set -euo pipefail

commit=${CODEBUILD_RESOLVED_SOURCE_VERSION:-$(git rev-parse HEAD)}
before=${CODEBUILD_WEBHOOK_PREV_COMMIT:-}
folder=${SOURCE_FOLDER:-.}
pause=${PAUSE_SECONDS:-10}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Paths are NUL-terminated everywhere, because Git would otherwise quote and escape non-ASCII paths.

# Prints the models' folders, each with a trailing slash; an empty one for the root of the clone.
models() {
  local path
  while IFS= read -r -d '' path; do
    [[ /$path == */model.toml ]] || continue
    printf '%s\0' "${path%model.toml}"
  done < <(git ls-files -z -- "$folder")
}

# Prints what the push changed. Everything, if the state before it is unknown, as for new and rewritten branches.
changed() {
  if [[ $before =~ ^[0-9a-f]{40}$ && ! $before =~ ^0+$ ]] && git cat-file -e "$before^{commit}" 2>/dev/null; then
    git diff -z --name-only --no-renames "$before" "$commit" -- "$folder"
  else
    git ls-files -z -- "$folder"
  fi
}

# Tests whether a list of paths on stdin contains one in a folder.
touches() {
  local below=$1 path
  while IFS= read -r -d '' path; do
    [[ $path == "$below"* ]] && return 0
  done
  return 1
}

# Starts a build. Retries while the account's quota of queued builds is used up, until this build's own time limit.
begin() {
  until aws codebuild start-build "$@" 2> "$work/refusal"; do
    grep -q AccountLimitExceededException "$work/refusal" || {
      cat "$work/refusal" >&2
      return 1
    }
    sleep "$pause"
  done
}

# Prints names and values as JSON for a build; names without a value are left out.
variables() {
  python3 -c '
import json, sys
pairs = zip(sys.argv[1::2], sys.argv[2::2])
print(json.dumps([{"name": name, "value": value, "type": "PLAINTEXT"} for name, value in pairs if value]))' "$@"
}

# Zips a folder as Git has it, uploads it under its digest and starts its build. Prints the build's id.
start() {
  local model=$1 name zip key
  name=$(python3 -c 'import sys, tomllib; print(tomllib.load(sys.stdin.buffer)["name"])' < "${model}model.toml") || {
    echo "${model}model.toml cannot be read: see above." >&2
    return 1
  }
  [[ $name =~ ^[a-z][a-z0-9-]{0,62}$ ]] || {
    echo "${model}model.toml: '$name' is not a valid model name." >&2
    return 1
  }
  zip=$work/$name.zip
  # `set -e` does not apply in a function whose status the caller tests: hence the returns. All files get the same fixed
  # time instead of the current one, so that the same content gives the same bytes and the same key.
  TZ=UTC git archive --format=zip --mtime=1980-01-01T00:00:00Z --output="$zip" "$commit:${model%/}" || return
  key=sources/$name/$(sha256sum "$zip" | cut -d ' ' -f 1).zip
  aws s3 cp --only-show-errors "$zip" "s3://$MODELS_BUCKET/$key" >&2 || return
  begin --project-name "$MODEL_BUILDS" --source-type-override S3 \
    --source-location-override "$MODELS_BUCKET/$key" --query build.id --output text \
    --environment-variables-override "$(variables DROPCAST_MODEL "$name" DROPCAST_COMMIT "$commit" \
      DROPCAST_REQUESTED_BY "${CODEBUILD_WEBHOOK_ACTOR_ACCOUNT_ID:+GitHub account $CODEBUILD_WEBHOOK_ACTOR_ACCOUNT_ID}")"
}

# Waits until a build has ended. Fails if the build failed or its result is unknown.
wait_for() {
  local model=$1 build=$2 status unanswered=0
  while ((unanswered < 10)); do
    status=$(aws codebuild batch-get-builds --ids "$build" --query 'builds[0].buildStatus' --output text) || status=
    case $status in
      SUCCEEDED | FAILED | FAULT | STOPPED | TIMED_OUT) break ;;
      IN_PROGRESS) unanswered=0 ;;
      *) unanswered=$((unanswered + 1)) ;;
    esac
    sleep "$pause"
  done
  echo "$model: ${status:-no answer} ($build)"
  [[ $status == SUCCEEDED ]]
}

failed=0
started=()
changed > "$work/changed"
while IFS= read -r -d '' model; do
  touches "$model" < "$work/changed" || continue
  if build=$(start "$model"); then
    echo "${model:-./}: $build"
    started+=("${model:-./}" "$build")
  else
    failed=1
  fi
done < <(models)

((failed || ${#started[@]})) || echo 'The push changed no model.'
for ((i = 0; i < ${#started[@]}; i += 2)); do
  wait_for "${started[i]}" "${started[i + 1]}" || failed=1
done
exit "$failed"
