set -eu
test -z "${DROPCAST_INPUT_FILE:-}"
# What a test asks for: the second refresh of a model called keeps-broken fails half-way.
count=$(cat "$DROPCAST_CACHE_DIR/count" 2>/dev/null || echo 0)
echo $((count + 1)) > "$DROPCAST_CACHE_DIR/count"
echo "kept by $DROPCAST_RUN_KIND $((count + 1))" > "$DROPCAST_CACHE_DIR/history"
if [ "$DROPCAST_MODEL" = keeps-broken ] && [ "$count" -gt 0 ]; then
  echo "the database went away" >&2
  exit 7
fi
