"""The README.md of an exported folder; its text is in ``card.md.jinja``."""

import shlex
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from huggingface_hub import ModelCardData
from jinja2 import Environment, StrictUndefined

import koki
from koki.export.modelfile import ollama_name
from koki.export.proof import proof_table
from koki.runs.finished import FinishedRun
from koki.runs.model_card import hub_id_of


def card_of_merged(run: FinishedRun, licence: str | None, dtype: str) -> str:
    """Of a folder of whole weights.

    Args:
        licence: of the base; None where it is not known.
    """
    return _card(run, licence, library="transformers", form=f"Whole weights in {dtype}", file=None)


def card_of_gguf(run: FinishedRun, licence: str | None, file: str, proof: Mapping[str, Any]) -> str:
    """Of a folder with a GGUF file of this name, with what `koki.export.proof.prove` found."""
    form = "A GGUF file for llama.cpp, Ollama and LM Studio"
    return _card(run, licence, library="gguf", form=form, file=file, proof=proof_table(proof))


def _card(run: FinishedRun, licence: str | None, *, library: str, form: str, file: str | None, proof: str = "") -> str:
    hub_id = hub_id_of(run.card["base_model"])
    metadata: Any = ModelCardData(
        base_model=hub_id,
        language=["id"],
        library_name=library,
        pipeline_tag="text-generation",
        tags=["koki", "recipes", "indonesian"],
    )
    environment = Environment(undefined=StrictUndefined, trim_blocks=True, keep_trailing_newline=True)
    environment.filters["plain"] = _plain
    environment.filters["in_a_shell"] = lambda text: shlex.quote(_plain(text))
    text = files(__package__).joinpath("card.md.jinja").read_text(encoding="utf-8")
    return environment.from_string(text).render(
        card=run.card,
        metadata=metadata.to_yaml(),
        hub_id=hub_id,
        licence=licence,
        form=form,
        file=file,
        proof=proof,
        name=ollama_name(run.folder.resolve().name),
        version=koki.__version__,
        question=run.card.get("example_question") or "Resep soto ayam dong!",
    )


def _plain(text: str) -> str:
    """A text in one line, for a table or a code span in Markdown."""
    return " ".join(text.replace("`", "'").replace("|", "/").split())
