set -eu
cat "$DROPCAST_CACHE_DIR/history" > "$DROPCAST_OUTPUT_DIR/kept.txt" 2>/dev/null ||
  echo nothing > "$DROPCAST_OUTPUT_DIR/kept.txt"
