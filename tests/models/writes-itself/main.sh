# Reads and writes S3 itself. Whatever stands below its attempt's prefix when it ends well is published.
set -eu
place=$DROPCAST_OUTPUT_URI$AWS_BATCH_JOB_ID/$AWS_BATCH_JOB_ATTEMPT/
object=${place#s3://}
copy=$(mktemp)
@aws@ s3 cp --only-show-errors "$DROPCAST_INPUT_URI" "$copy"
# Outputs are written once: any other request is refused.
@aws@ s3api put-object --if-none-match '*' --body "$copy" \
  --bucket "${object%%/*}" --key "${object#*/}copy.json" > /dev/null
# Run by dropcast-job, it may leave files to that as well.
if [ -n "${DROPCAST_OUTPUT_DIR:-}" ]; then echo beside > "$DROPCAST_OUTPUT_DIR/note.txt"; fi
