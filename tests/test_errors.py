"""An error of Koki's is the same in another process."""

import pickle
from collections.abc import Iterator

import pytest

from koki.errors import EmptyQuestion, KokiError, QuestionTooLong


def kinds(kind: type[KokiError] = KokiError) -> Iterator[type[KokiError]]:
    """A kind of error and all kinds under it that are made of what and how."""
    yield kind
    for other in kind.__subclasses__():
        if other not in (EmptyQuestion, QuestionTooLong) and other.__module__ == KokiError.__module__:
            yield from kinds(other)


@pytest.mark.parametrize(
    "error",
    [*(kind("what", "how") for kind in kinds()), EmptyQuestion(), QuestionTooLong("Soto?", tokens=9, context=8)],
    ids=lambda error: type(error).__name__,
)
def test_an_error_is_sent_as_it_is(error: KokiError) -> None:
    sent = pickle.loads(pickle.dumps(error))
    assert type(sent) is type(error)
    assert (str(sent), sent.args, vars(sent)) == (str(error), error.args, vars(error))
