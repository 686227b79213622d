"""The one error that a business user is shown."""

from collections.abc import Iterable

ADVICE = "Correct the file and upload it again."


class ModelError(Exception):
    """A failure that the user can understand: what happened, and what to do about it.

    `detail` is for whoever looks closer, for example what the database driver said. It is printed before the two
    sentences, because the last lines are the ones that a mail shows.
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
