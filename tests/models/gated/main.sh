set -eu
gate=$(sed -n 's/.*"gate": *"\([^"]*\)".*/\1/p' "$DROPCAST_INPUT_FILE")
echo "waiting for the gate"
until [ -e "$gate" ]; do sleep 0.05; done
echo "$AWS_BATCH_JOB_ID" > "$DROPCAST_OUTPUT_DIR/who.txt"
env | sort > "$DROPCAST_OUTPUT_DIR/environment.txt"
