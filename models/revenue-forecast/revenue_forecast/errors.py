"""The one error that business users see."""

from collections.abc import Iterable

ADVICE = "Correct the file and upload it again."


class ModelError(Exception):
    """A failure that the user can understand: what happened, and what to do about it.

    `detail` is for troubleshooting, for example the message of the database driver. It is printed before the two
    sentences, because a mail shows the last lines.
    """

    def __init__(self, happened: str, advice: str, detail: str = "") -> None:
        super().__init__(f"{happened} {advice}")
        self.happened = happened
        self.advice = advice
        self.detail = detail


def in_words(names: Iterable[str]) -> str:
    """Names as a sentence lists them: `Hardware, Services and Software`."""
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last
