"""A run folder -> its report, and the scorecard in its model card."""

import json
import re
from pathlib import Path
from typing import Any, Final

import yaml
from jinja2 import TemplateError

from koki.errors import RunError
from koki.files import write_text
from koki.gguf.of_run import read_record
from koki.language import Language, _, chosen, in_english
from koki.report.forms import forms_of
from koki.report.page import render
from koki.report.scorecard_section import with_scorecard
from koki.runs.card import read_card
from koki.runs.model_card import model_card
from koki.runs.names import GGUF, MODEL_CARD, REPORT, SCORECARD, SCORECARDS_OF_FILES

_LANGUAGE: Final = re.compile(r'<html lang="(en|id)">')


def write_report(run: Path, language: Language | None = None) -> Path:
    """Write ``report/report.html`` anew, and the scorecard, where there is one, into the model card.

    Args:
        run: a finished run folder.
        language: None keeps the language of the page that is there; a first page is in that of the terminal.

    Returns:
        Where the page lies.

    Raises:
        RunError: the folder is not a finished run, or cannot be read or written.
    """
    card, page = read_card(run), run / REPORT
    try:
        scorecard = _read_scorecard(run / SCORECARD)
        forms = forms_of(read_record(run / GGUF), scorecard, _scorecards_of_files(run))
        language = language or _language_of(page)
        with in_english():  # the page has translations of its own
            html = render(run, card, scorecard, language, forms)
        page.parent.mkdir(exist_ok=True)
        write_text(page, html)
        _update_model_card(run / MODEL_CARD, card, scorecard)
    except OSError as error:
        raise RunError(
            _("The report of {run} cannot be written: {error}.", run=run, error=error),
            _("`koki report RUN` tries again."),
        ) from error
    except (KeyError, TypeError, ValueError, TemplateError, yaml.YAMLError) as error:
        raise RunError(
            _("The report of {run} cannot be made: {kind}: {error}.", run=run, kind=type(error).__name__, error=error),
            _("Were its training_metadata.json and report/scorecard.json written by this version of Koki?"),
        ) from error
    return page


def _read_scorecard(path: Path) -> dict[str, Any] | None:
    try:
        scorecard: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return None
    return scorecard


def _scorecards_of_files(run: Path) -> list[dict[str, Any]]:
    return [found for path in sorted(run.glob(SCORECARDS_OF_FILES)) if (found := _read_scorecard(path))]


def _language_of(page: Path) -> Language:
    try:
        found = _LANGUAGE.search(page.read_text("utf-8", errors="replace"))
    except FileNotFoundError:
        return chosen()
    return "id" if found and found[1] == "id" else "en"


def _update_model_card(path: Path, card: dict[str, Any], scorecard: dict[str, Any] | None) -> None:
    """Put the scorecard into the model card and change nothing else, for people write there; make a card if needed."""
    text = path.read_text("utf-8") if path.exists() else model_card(card)
    updated = with_scorecard(text, card["model_name"], scorecard)
    if not path.exists() or updated != text:
        write_text(path, updated)
