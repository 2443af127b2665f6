"""The scorecard -> what the hub shows of it: ``model-index`` in the model card's metadata, and a table in its text."""

import re
from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any, Final

from huggingface_hub import EvalResult, ModelCard

from koki.evaluation.asked import is_with_book
from koki.report.content import Bar, Row, Table, tables

_START: Final = "<!-- scorecard -->"
_END: Final = "<!-- end of scorecard -->"
_SECTION: Final = re.compile(rf"\n*{_START}.*?{_END}\n*", re.DOTALL)


def with_scorecard(text: str, model_name: str, scorecard: Mapping[str, Any] | None) -> str:
    """A model card with this scorecard in the place of an earlier one; what else is in it stays as it is.

    Args:
        text: the card, metadata included.
        model_name: the name of the model in ``model-index``.
        scorecard: None leaves the card alone.

    Raises:
        ValueError: the card's metadata cannot be read.
    """
    if scorecard is None:
        return text
    card = ModelCard(_SECTION.sub("\n", text).rstrip() + "\n\n" + _section(scorecard))
    data: Any = card.data  # it is a ModelCardData, which its type does not say
    data.model_name, data.eval_results = model_name, list(_results(scorecard))
    return str(card)


def _results(scorecard: Mapping[str, Any]) -> Iterator[EvalResult]:
    for table in tables(scorecard):
        for row in table.rows:
            for group, bar in zip(table.groups, row.bars, strict=True):
                if bar is not None:
                    yield EvalResult(
                        task_type="text-generation",
                        task_name=table.capability,
                        dataset_type="recipes",  # the hub asks for an id, which the user's own recipes do not have
                        dataset_name=f"The recipes of this run: {group}, {table.capability}",
                        dataset_config=table.capability,
                        dataset_split=group,
                        metric_type=row.name,
                        metric_name=_label(row),
                        metric_value=bar.mean,
                        metric_args={"low": bar.low, "high": bar.high, "questions": bar.questions},
                    )


def _section(scorecard: Mapping[str, Any]) -> str:
    lines = [
        _START,
        "## Scorecard",
        "",
        "Means from 0 to 1 with 95 % intervals (`koki evaluate`). Recall: questions that it was trained on; typing:",
        "the like, typed as on a phone; understanding: in other words; generalisation: of recipes that were held out;",
        "added: of recipes that its book got later; -book: asked with its book open.",
        *scorecard["notes"],
    ]
    for groups, of_them in groupby(sorted(tables(scorecard), key=_is_with_book), key=lambda table: table.groups):
        lines += ["", f"| | {' | '.join(groups)} |", f"|---|{'---|' * len(groups)}"]
        for table in of_them:
            counts = (f"{count} questions" for count in table.questions)
            lines.append(f"| **{table.capability}** | {' | '.join(counts)} |")
            for row in table.rows:
                label = _label(row) + (" (less is better)" if row.measure.lower_is_better else "")
                lines.append(f"| {label} | {' | '.join(map(_cell, row.bars))} |")
    return "\n".join([*lines, _END, ""])


def _is_with_book(table: Table) -> bool:
    return any(map(is_with_book, table.groups))


def _label(row: Row) -> str:
    return row.measure.label.strip()


def _cell(bar: Bar | None) -> str:
    return f"{bar.mean:.2f} [{bar.low:.2f}, {bar.high:.2f}]" if bar else "-"
