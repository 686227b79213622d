#!/usr/bin/env bash
# Builds the images of the example model and of a new one as CodeBuild does, with infra/build-model.sh: builds, tries out,
# pushes and describes them, with a real container engine and a real registry. Only the AWS CLI is a stand-in.
#
#   BINARIES  where dropcast and dropcast-job are. They run in the images: build them with `make static` where this
#             machine's libc is newer than the base image's
#   ENGINE    docker; or podman, where there is no Docker: podman/ says how. Layers of earlier images are not used again
set -euo pipefail
cd "$(dirname "$0")/../.."
here=$PWD/tests/images
binaries=$(cd "${BINARIES:-target/debug}" && pwd)
work=$(mktemp -d)
registry=
finish() {
  if [[ -n ${REGISTRY:-} && ${ENGINE:-docker} == docker ]]; then
    docker logout "$REGISTRY" > /dev/null 2>&1 || true
    docker image ls --format '{{.Repository}}:{{.Tag}}' |
      { grep -E "^(model:.f5d3c1e-|$REGISTRY/)" || true; } | xargs -r docker image rm --force > /dev/null || true
  fi
  [[ -z $registry ]] || kill "$registry" || true
  rm -rf "$work"
}
trap finish EXIT

that() { echo "  $*"; }
fail() {
  echo "    $*" >&2
  exit 1
}

# A registry, on a port that is free.
serve_images() {
  local port log=$work/registry.log
  port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  cat > "$work/registry.yml" <<YAML
version: 0.1
storage: {filesystem: {rootdirectory: $work/registry}}
http: {addr: "127.0.0.1:$port"}
YAML
  docker-registry serve "$work/registry.yml" > "$log" 2>&1 &
  registry=$!
  export REGISTRY=localhost:$port
  for _ in {1..50}; do
    ! (exec 3<> "/dev/tcp/127.0.0.1/$port") 2> /dev/null || return 0
    sleep 0.2
  done
  fail "The registry does not answer: $(cat "$log")"
}

export WORK=$work S3=$work/s3 DROPCAST_WORK=$work/build
serve_images
case ${ENGINE:-docker} in
  docker) ;;
  podman)
    PATH=$here/podman:$PATH
    base=$(sed -n 's/^FROM //p' models/revenue-forecast/Dockerfile)
    "$here/podman/base.sh" "$base" > "$work/base.log" 2>&1 || fail "There is no base image: $(tail -n 20 "$work/base.log")"
    ;;
  *) fail "ENGINE is $ENGINE; it must be docker or podman." ;;
esac
export PATH=$here/bin:$PATH
export MODELS_BUCKET=models IMAGE_REPOSITORY=$REGISTRY/models JOB_ARCHITECTURE=X86_64 JOB_PLATFORM=FARGATE
mkdir -p "$work/tools/bin/x86_64"
cp infra/build-model.sh "$work/tools"
cp "$binaries"/dropcast{,-job} "$work/tools/bin/x86_64/"

# A step that must succeed; what it says is shown if it does not.
step() {
  "$work/tools/build-model.sh" "$1" > "$work/said" 2>&1 || fail "$1: $(cat "$work/said")"
}
# A step that must fail, and what it must say.
step_fails() {
  ! "$work/tools/build-model.sh" "$1" > "$work/said" 2>&1 || fail "$1 succeeds: $(cat "$work/said")"
  grep -qF -- "$2" "$work/said" || fail "$1 does not say '$2': $(cat "$work/said")"
}
# What the build of this number is called.
build_is() { export CODEBUILD_BUILD_ID="dropcast-models:$1f5d3c1e-1111-4222-8333-123456789abc"; }
# Does with the model in this folder all that a build does.
becomes_a_version() {
  local image version digest uid
  for name in check build local-run push publish; do step "$name"; done
  version=$S3/models/builds/${CODEBUILD_BUILD_ID#*:}/version.json
  image=$(python3 -c 'import json, sys; print(json.load(sys.stdin)["image"])' < "$version")
  digest=${image#*@}
  [[ $(aws ecr describe-images --image-ids "imageDigest=$digest") == "$digest" ]] ||
    fail "The registry does not know $image."
  docker run --rm "$image" dropcast-job --version > "$work/said" 2>&1 || fail "$image does not run: $(cat "$work/said")"
  uid=$(docker run --rm "$image" id -u) || fail "$image does not run."
  # Whoever runs a model is not root.
  [[ $uid =~ ^[1-9][0-9]*$ ]] || fail "$image runs as root."
}

that 'the example model becomes a version whose image the registry has'
build_is 1
cp -R models/revenue-forecast "$work/example"
cd "$work/example"
becomes_a_version

that 'a new model becomes one as it stands'
build_is 2
cd "$work"
"$binaries/dropcast" model init fresh > /dev/null
cd fresh
becomes_a_version

that 'an image that lacks the command is told so, and is no version'
build_is 3
sed -i 's/^command = .*/command = ["Rscript", "main.R"]/' model.toml
step check
step build
grep -qF 'Layers of fresh-' "$work/said" || fail 'The layers of its last image are not used again.'
step_fails local-run '"Rscript" was not found'
step_fails local-run 'exit code 127'

that 'an image without dropcast-job is told so, and is no version'
build_is 4
sed -i 's/^command = .*/command = ["python", "main.py"]/' model.toml
sed -i '/^COPY --from=dropcast-job/d' Dockerfile
step check
step build
step_fails local-run 'has no dropcast-job that can be executed'

that 'an image that cannot be built fails with what Docker says'
build_is 5
echo 'RUN echo out of "lu""ck" >&2; exit 3' >> Dockerfile
step check
step_fails build 'out of luck'
echo 'All hold.'
