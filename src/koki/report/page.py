"""Run card and scorecard -> the page, complete in itself: nothing is loaded from anywhere, nothing is run."""

import base64
import hashlib
import shlex
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from koki.files import file_name, published_name
from koki.language import Language
from koki.report import content
from koki.report.forms import Forms
from koki.report.language import Translation
from koki.report.verdict import ENOUGH, Verdict, sentence
from koki.runs.log import LossCourse


def render(
    run: Path,
    card: Mapping[str, Any],
    scorecard: Mapping[str, Any] | None,
    language: Language,
    forms: Forms | None = None,
) -> str:
    """The page as HTML; every text in it that comes from outside is escaped.

    Args:
        run: the run folder, whose name is the title.
        card: what `koki.runs.card.run_card` made.
        scorecard: what `koki.evaluation.scorecard.Scorecard.as_dict` made; None where the chef was not evaluated.
        forms: its files, where there are some.
    """
    translation, named = Translation(language), published_name(run)
    verdict = Verdict.of(scorecard) if scorecard else None
    # autoescape whatever the template is called: this is where recipes and answers become text and nothing else
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    style = _read("page.css")
    page = environment.from_string(_read("page.html.jinja")).render(
        language=language,
        style=Markup(style),  # not escaped, for it is Koki's own file
        policy=_policy(style),
        w=translation,
        say=translation.say,
        run=run.resolve().name,
        named=shlex.quote(named),
        question=shlex.quote(card.get("example_question") or translation.say("ask.example")),
        evaluate=f"koki evaluate {shlex.quote(named)}",
        again=f"koki train --config {shlex.quote(f'{named}/config.yaml')}",
        card=card,
        loss=LossCourse.of(card["training"]["log"]),
        speed=content.speed(card["training"]["log"]),
        curves=content.curves(card["training"]["log"]),
        other_settings=content.other_settings(card["settings"]),
        file_name=file_name,
        scorecard=scorecard,
        verdict=verdict,
        enough=translation.number(100 * ENOUGH),
        sentence=sentence(verdict, translation) if verdict else "",
        examples=content.examples(verdict) if verdict else [],
        groups=content.groups_of(scorecard) if scorecard else [],
        tables=content.tables(scorecard) if scorecard else [],
        measures=content.measures(scorecard) if scorecard else [],
        forms=forms,
        pairs=content.pairs(scorecard) if scorecard else [],
    )
    # a path may hold bytes that are no text, which Python carries as lone surrogates
    return page.encode("utf-8", "replace").decode("utf-8")


def _read(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _policy(style: str) -> str:
    """The Content-Security-Policy, which allows this style sheet and nothing else."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
