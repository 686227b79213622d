# Reads and writes S3 itself. Whatever stands below its attempt's prefix when it ends well is published.
set -eu
place=$DROPCAST_OUTPUT_URI$AWS_BATCH_JOB_ID/$AWS_BATCH_JOB_ATTEMPT/
@aws@ s3 cp --only-show-errors "$DROPCAST_INPUT_URI" "${place}copy.json"
# Run by dropcast-job, it may leave files to that as well.
if [ -n "${DROPCAST_OUTPUT_DIR:-}" ]; then echo beside > "$DROPCAST_OUTPUT_DIR/note.txt"; fi
