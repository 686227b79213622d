#!/usr/bin/env bash
# Checks that the subject of every commit in a range has at most 72 characters: `commit-subjects.sh main..HEAD`.
# A longer one is cut off in `git log --oneline` and in the lists of pull requests.
set -euo pipefail
export LC_ALL=C.UTF-8
max=72
too_long=0
while read -r commit subject; do
  if (( ${#subject} > max )); then
    echo "$commit has a subject of ${#subject} characters, and at most $max are allowed: $subject" >&2
    too_long=1
  fi
done < <(git log --no-merges --format='%h %s' "$1")
if (( too_long )); then
  echo "Shorten it with \`git rebase --interactive\` and \`reword\`; the reason belongs in the body." >&2
fi
exit "$too_long"
