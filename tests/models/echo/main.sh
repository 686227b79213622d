set -eu
out=$DROPCAST_OUTPUT_DIR
mkdir -p "$out/notes" "$out/extra"
cp "$DROPCAST_INPUT_FILE" "$out/copy.json"
cp chart.png "$out/chart.png"
printf '# Run %s\n' "$DROPCAST_RUN_ID" > "$out/notes/résumé +50%.md"
# Not declared: listed in the manifest, and in no mail.
env | sort > "$out/extra/environment.txt"
