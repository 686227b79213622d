set -eu
cd "$DROPCAST_OUTPUT_DIR"
part=1
while [ "$part" -le 1100 ]; do
  echo "$part" > "part-$part.txt"
  part=$((part + 1))
done
