#!/usr/bin/env bash
# Looks into a dead-letter queue of a deployment, or hands its messages in again.
#
#   infra/redrive.sh STACK QUEUE          print what lies there, as JSON, one message a line
#   infra/redrive.sh STACK QUEUE --again  hand all of it in again, and say how much it was
#
# QUEUE: intake, job-events, builds, notices or announcements. Every consumer bears a message twice, so nothing is
# lost or done twice when this is stopped half-way. Needs the AWS CLI and jq. ENDPOINT=http://… is for the local stack.
set -euo pipefail

usage() { sed -nE '2,/^set/s/^# ?//p' "$0" >&2; exit 2; }
[[ $# -ge 2 && $# -le 3 && ${3:---again} == --again ]] || usage
stack=$1 again=${3:-}
case $2 in
  intake) name=Intake ;;
  job-events) name=JobEvents ;;
  builds) name=Builds ;;
  notices) name=Notices ;;
  announcements) name=Announcements ;;
  *) usage ;;
esac
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

api() { aws ${ENDPOINT:+--endpoint-url "$ENDPOINT"} "$@"; }

output() {
  api cloudformation describe-stacks --stack-name "$stack" --output text \
    --query "Stacks[0].Outputs[?OutputKey=='$1'].OutputValue"
}

# The records that a message about the table's stream points to, given to announce-run once more. The stream
# keeps them for a day; what is older is told by `dropcast runs`, and its people by hand.
announce() {
  local batch iterator answer
  batch=$(jq -c .DDBStreamBatchInfo <<< "$1")
  iterator=$(api dynamodbstreams get-shard-iterator --query ShardIterator --output text \
    --stream-arn "$(jq -r .streamArn <<< "$batch")" --shard-id "$(jq -r .shardId <<< "$batch")" \
    --shard-iterator-type AT_SEQUENCE_NUMBER --sequence-number "$(jq -r .startSequenceNumber <<< "$batch")")
  # The table's own changes that announce-run is never called for lie between, and do no harm. A Lambda event
  # has its times in seconds.
  api dynamodbstreams get-records --shard-iterator "$iterator" --output json |
    jq --argjson batch "$batch" '{Records: [.Records[]
      | select((.dynamodb.SequenceNumber | tonumber) <= ($batch.endSequenceNumber | tonumber))
      | .eventSourceARN = $batch.streamArn
      | select(.dynamodb.Keys.SK.S == "RUN" or .dynamodb.Keys.SK.S == "BUILD")
      | .dynamodb.ApproximateCreationDateTime |= if type == "string" then .[:19] + "Z" | fromdate else . end]}' \
      > "$work/event.json"
  answer=$(api lambda invoke --function-name "$function" --payload "fileb://$work/event.json" --output json "$work/answer.json")
  if [[ $answer == *FunctionError* || $(jq '.batchItemFailures // [] | length' "$work/answer.json") != 0 ]]; then
    echo "announce-run refused it again: $(cat "$work/answer.json")" >&2
    return 1
  fi
}

from=$(output "${name}DeadLettersUrl")
if [[ $name == Announcements ]]; then
  function=$(api cloudformation describe-stack-resource --stack-name "$stack" --logical-resource-id AnnounceRun \
    --query StackResourceDetail.PhysicalResourceId --output text)
else
  to=$(output "${name}QueueUrl")
fi

# What is only looked at stays hidden for this long.
seconds=30
count=0
: > "$work/seen"

# Prints a message; fails when it was printed before.
look() {
  local id
  id=$(jq -r .MessageId <<< "$1")
  ! grep -qxF -- "$id" "$work/seen" || return
  echo "$id" >> "$work/seen"
  jq -c '{sent: (.Attributes.SentTimestamp | tonumber / 1000 | todate), body: (.Body | fromjson? // .)}' <<< "$1"
}

while :; do
  api sqs receive-message --queue-url "$from" --max-number-of-messages 10 --visibility-timeout "$seconds" \
    --attribute-names All --output json > "$work/messages.json"
  [[ -s $work/messages.json ]] || break
  jq -c '.Messages // [] | .[]' "$work/messages.json" > "$work/messages"
  [[ -s $work/messages ]] || break
  while IFS= read -r message; do
    if [[ -z $again ]]; then
      # It took so long that the first ones are back.
      look "$message" || { echo "$count, and maybe more; hidden for $seconds s." >&2; exit; }
      count=$((count + 1))
      continue
    fi
    jq -j .Body <<< "$message" > "$work/body"
    if [[ $name == Announcements ]]; then
      announce "$(cat "$work/body")"
    else
      api sqs send-message --queue-url "$to" --message-body "file://$work/body" > "$work/sent.json"
    fi
    # Last: whatever fails before leaves the message where it was.
    api sqs delete-message --queue-url "$from" --receipt-handle "$(jq -r .ReceiptHandle <<< "$message")"
    count=$((count + 1))
  done < "$work/messages"
done
if [[ -n $again ]]; then echo "$count handed in again."; else echo "$count in all; hidden for $seconds s." >&2; fi
