"""What each form of a chef costs: the GGUF files of a run beside the run, as rows of a table."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from koki.evaluation.capabilities import registry
from koki.report.content import groups_of

# Where these differ, other questions were asked, or answered at another length.
_SAME: Final = ("seed", "questions_per_capability", "max_new_tokens")


@dataclass(frozen=True, slots=True)
class Form:
    """A file of a run, or the run itself.

    Attributes:
        name: its type, such as ``q8_0``; an empty text is the run itself.
        bytes: of the file.
        speed: tokens a second.
        equal: answers equal to the run's own, and of how many.
        loss: on true answers.
        means: of the first measure of each capability; None where it was not asked the same questions.
    """

    name: str
    bytes: int | None
    speed: float | None
    equal: tuple[int, int] | None
    loss: float | None
    means: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Forms:
    """The run itself and its files, the largest first.

    Attributes:
        group: of the questions that the means are of; None where the run was not evaluated.
        measures: capability and name of the measure of each mean.
    """

    group: str | None
    measures: tuple[tuple[str, str], ...]
    forms: tuple[Form, ...]


def forms_of(
    record: Mapping[str, Mapping[str, Any]],
    scorecard: Mapping[str, Any] | None,
    others: Sequence[Mapping[str, Any]],
) -> Forms | None:
    """The forms of which something is known.

    Args:
        record: of the files, as `koki.gguf.of_run.read_record` gives it.
        scorecard: of the run.
        others: scorecards of files; those of files that are there no longer as they were, are left out.
    """
    group = groups_of(scorecard)[0] if scorecard else None
    measures = tuple(_measures(scorecard, group)) if scorecard and group else ()
    evaluated = {made_of: other for other in others if (made_of := other["file"].get("made_of"))}
    largest_first = sorted(record.items(), key=lambda item: -item[1]["bytes"])
    files = [
        _form(name, entry, evaluated.get(entry.get("made_of")), scorecard, group, measures)
        for name, entry in largest_first
        if "loss" in entry.get("proof", {}) or entry.get("made_of") in evaluated  # an adapter alone has neither
    ]
    if not files:
        return None
    losses = (entry["proof"]["loss"]["adapter"] for entry in record.values() if "loss" in entry.get("proof", {}))
    own = Form(
        "",
        None,
        scorecard["speed"]["tokens_per_second"] if scorecard else None,
        None,
        next(losses, None),
        _means(scorecard, group, measures),
    )
    return Forms(group, measures, (own, *files))


def _form(
    name: str,
    entry: Mapping[str, Any],
    evaluated: Mapping[str, Any] | None,
    scorecard: Mapping[str, Any] | None,
    group: str | None,
    measures: Sequence[tuple[str, str]],
) -> Form:
    proof = entry.get("proof", {})
    answers, loss = proof.get("answers"), proof.get("loss")
    same = evaluated and scorecard and all(evaluated[key] == scorecard[key] for key in _SAME)
    return Form(
        f"base {entry['type']}" if name.startswith("base-") else entry["type"],
        entry["bytes"],
        evaluated["speed"]["tokens_per_second"] if evaluated else None,
        (answers["equal"], answers["compared"]) if answers else None,
        loss["file"] if loss else None,
        _means(evaluated if same else None, group, measures),
    )


def _measures(scorecard: Mapping[str, Any], group: str) -> Iterator[tuple[str, str]]:
    """The most telling measure of each capability that was asked about."""
    for capability, measures in registry.measures().items():
        if first := next((name for name in measures if name in scorecard["groups"][group].get(capability, {})), None):
            yield capability, first


def _means(
    scorecard: Mapping[str, Any] | None, group: str | None, measures: Sequence[tuple[str, str]]
) -> tuple[float | None, ...]:
    found = scorecard["groups"].get(group, {}) if scorecard else {}
    return tuple(found.get(capability, {}).get(name, {}).get("mean") for capability, name in measures)
