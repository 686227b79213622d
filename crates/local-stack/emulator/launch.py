"""Starts the emulator so that it never outlives who started it, and keeps the mails it is given.

The starter holds the other end of standard input. It closes when that process ends, however it
ends; then everything that carries the stack's mark in its environment is killed: the functions,
the jobs, and this process group.

The emulator itself forgets attachments. With DROPCAST_MAILS set to a folder, every mail sent
through SES is written there as it was, as `<message id>.eml`.
"""

import os
import re
import runpy
import signal
import threading
from pathlib import Path

from ministack.services import ses

MARK = "DROPCAST_LOCAL_STACK"
MESSAGE_ID = re.compile(r"^Message-ID: <([A-Za-z0-9.@_-]+)>", re.IGNORECASE | re.MULTILINE)


def kill_marked(mark):
    """Kills every other process of the stack. A system without /proc has only the process group."""
    entry = f"{MARK}={mark}".encode()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if int(process.name) != os.getpid() and entry in (process / "environ").read_bytes().split(b"\0"):
                os.kill(int(process.name), signal.SIGKILL)
        except OSError:
            continue


def end_with_starter():
    """Waits until standard input closes, and ends everything."""
    while os.read(0, 4096):
        pass
    if os.environ.get(MARK):
        kill_marked(os.environ[MARK])
    os.killpg(0, signal.SIGKILL)


def keep_mail(folder, relay):
    """A relay that writes each mail into the folder before it passes it on."""

    def relay_and_keep(source, recipients, message):
        found = MESSAGE_ID.search(message)
        if found:
            unfinished = folder / f"{found[1]}.new"
            unfinished.write_text(message, newline="")
            unfinished.rename(folder / f"{found[1]}.eml")
        return relay(source, recipients, message)

    return relay_and_keep


if __name__ == "__main__":
    threading.Thread(target=end_with_starter, daemon=True).start()
    if os.environ.get("DROPCAST_MAILS"):
        ses._smtp_relay = keep_mail(Path(os.environ["DROPCAST_MAILS"]), ses._smtp_relay)
    runpy.run_path(str(Path(__file__).with_name("serve.py")), run_name="__main__")
