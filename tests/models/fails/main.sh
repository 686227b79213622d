line=1
while [ "$line" -le 60 ]; do
  echo "step $line of 60" >&2
  line=$((line + 1))
done
echo "ValueError: no history for product line <b>Hardware</b>" >&2
exit 3
