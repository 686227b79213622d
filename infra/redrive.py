#!/usr/bin/env python3
"""Shows the messages in a dead-letter queue of a deployment, or redrives them.

Consumers are idempotent, so nothing is lost or done twice if this is interrupted. Needs Python 3.11 and the AWS CLI
(AWS=/path/to/aws if it is not on the PATH). ENDPOINT=http://… is for the local stack.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

# The part of the names of the stack's outputs that identifies the queue.
QUEUES = {
    "intake": "Intake",
    "job-events": "JobEvents",
    "builds": "Builds",
    "notices": "Notices",
    "announcements": "Announcements",
}
# The visibility timeout of messages that are only shown.
HIDDEN_SECONDS = 30


def aws(*arguments, output="json"):
    """The answer of the AWS CLI: text, or JSON (None when the call answers nothing)."""
    endpoint = ["--endpoint-url", os.environ["ENDPOINT"]] if os.environ.get("ENDPOINT") else []
    command = [os.environ.get("AWS") or "aws", *endpoint, *arguments, "--output", output]
    environment = os.environ | {"AWS_CLI_FILE_ENCODING": "UTF-8", "AWS_PAGER": ""}
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        # The CLI has printed the reason.
        sys.exit(f"{' '.join(arguments[:2])} failed.")
    if output == "text":
        return done.stdout.strip()
    return json.loads(done.stdout) if done.stdout.strip() else None


class Deployment:
    def __init__(self, stack):
        self.stack = stack

    def output(self, name):
        query = f"Stacks[0].Outputs[?OutputKey=='{name}'].OutputValue"
        return aws("cloudformation", "describe-stacks", "--stack-name", self.stack, "--query", query, output="text")


def received(queue):
    """Each message of a queue, until a request finds none."""
    while True:
        options = ("--max-number-of-messages", "10", "--visibility-timeout", str(HIDDEN_SECONDS))
        answer = aws("sqs", "receive-message", "--queue-url", queue, *options, "--attribute-names", "All")
        messages = (answer or {}).get("Messages", [])
        if not messages:
            return
        yield from messages


def show(queue):
    seen = set()
    for message in received(queue):
        if message["MessageId"] in seen:
            # It took so long that the first messages are visible again.
            print(f"Messages: {len(seen)}, perhaps more; hidden for {HIDDEN_SECONDS} s.", file=sys.stderr)
            return
        seen.add(message["MessageId"])
        sent = datetime.fromtimestamp(int(message["Attributes"]["SentTimestamp"]) // 1000, UTC)
        try:
            body = json.loads(message["Body"])
        except ValueError:
            body = message["Body"]
        line = {"sent": sent.strftime("%Y-%m-%dT%H:%M:%SZ"), "body": body}
        print(json.dumps(line, ensure_ascii=False, separators=(",", ":")))
    print(f"Messages: {len(seen)}; hidden for {HIDDEN_SECONDS} s.", file=sys.stderr)


def send_again(queue, send):
    count = 0
    for message in received(queue):
        with tempfile.TemporaryDirectory() as work:
            send(message["Body"], Path(work))
        # Last, so that the message stays in the queue if anything before fails.
        aws("sqs", "delete-message", "--queue-url", queue, "--receipt-handle", message["ReceiptHandle"])
        count += 1
    print(f"Messages redriven: {count}.")


def enqueue(queue, body, work):
    # A file, because a message can be longer than a command-line argument.
    file = work / "body"
    file.write_text(body, encoding="utf-8")
    aws("sqs", "send-message", "--queue-url", queue, "--message-body", f"file://{file}")


def announce(function, body, work):
    """Gives announce-run the change in a message, or the changes in the table's stream that it points to.

    The stream keeps them for a day; `dropcast runs` shows what is older.
    """
    message = json.loads(body)
    if "dynamodb" in message:
        return invoke(function, [message], work)
    batch = message["DDBStreamBatchInfo"]
    shard = ("--stream-arn", batch["streamArn"], "--shard-id", batch["shardId"])
    start = ("--shard-iterator-type", "AT_SEQUENCE_NUMBER", "--sequence-number", batch["startSequenceNumber"])
    query = ("--query", "ShardIterator")
    iterator = aws("dynamodbstreams", "get-shard-iterator", *shard, *start, *query, output="text")
    records = aws("dynamodbstreams", "get-records", "--shard-iterator", iterator)["Records"]
    return invoke(function, list(announced(records, batch)), work)


def invoke(function, records, work):
    """Invokes announce-run with these records."""
    event, answer = work / "event.json", work / "answer.json"
    event.write_text(json.dumps({"Records": records}))
    options = ("--function-name", function, "--payload", f"fileb://{event}")
    invoked = aws("lambda", "invoke", *options, str(answer))
    result = json.loads(answer.read_text())
    if "FunctionError" in invoked or result.get("batchItemFailures"):
        sys.exit(f"announce-run failed again: {json.dumps(result)}")


def announced(records, batch):
    """Those records of a batch that announce-run is invoked for, in the form of a Lambda event."""
    for record in records:
        change = record["dynamodb"]
        if int(change["SequenceNumber"]) > int(batch["endSequenceNumber"]):
            continue
        # Other items of the table are in between; announce-run is never invoked for them.
        if change["Keys"]["SK"].get("S") not in ("RUN", "BUILD"):
            continue
        # A Lambda event has its times in seconds.
        created = change["ApproximateCreationDateTime"]
        if isinstance(created, str):
            change["ApproximateCreationDateTime"] = int(datetime.fromisoformat(created).timestamp())
        yield record | {"eventSourceARN": batch["streamArn"]}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("stack", metavar="STACK")
    parser.add_argument("queue", metavar="QUEUE", choices=QUEUES, help=", ".join(QUEUES))
    again = "redrive the messages to their source instead of printing them as JSON"
    parser.add_argument("--again", action="store_true", help=again)
    given = parser.parse_args()

    deployment, name = Deployment(given.stack), QUEUES[given.queue]
    queue = deployment.output(f"{name}DeadLettersUrl")
    if not given.again:
        show(queue)
    elif given.queue == "announcements":
        send_again(queue, partial(announce, deployment.output("AnnounceRunName")))
    else:
        send_again(queue, partial(enqueue, deployment.output(f"{name}QueueUrl")))


if __name__ == "__main__":
    main()
