"""The run card as the run folder's README.md, which the hub shows; its text is in ``model_card.md.jinja``."""

import re
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from huggingface_hub import ModelCardData
from jinja2 import Environment, StrictUndefined

from koki.language import in_english
from koki.runs.card import plain_name
from koki.runs.log import LossCourse
from koki.runs.names import BOOK

# What stands in the text for the folder, for whoever has one; and what it says of the book.
_HERE: Final = "THIS_FOLDER"
_OF_THE_BOOK: Final = re.compile(rf"^The recipes themselves are in `{re.escape(BOOK)}`.*\n+", re.MULTILINE)


def model_card(card: dict[str, Any]) -> str:
    """The model card with Hugging Face's metadata on top; made to be published, so without local paths.

    Args:
        card: what `koki.runs.card.run_card` made.
    """
    hub_id = hub_id_of(card["base_model"])
    metadata = ModelCardData(
        base_model=hub_id,
        language=["id"],
        library_name="peft",
        pipeline_tag="text-generation",
        tags=["lora", "koki", "recipes", "indonesian"],
    )
    environment = Environment(undefined=StrictUndefined, trim_blocks=True, keep_trailing_newline=True)
    environment.filters["plain_name"] = plain_name
    environment.filters["python"] = repr
    environment.filters["four_digits"] = "{:.4f}".format
    text = files(__package__).joinpath("model_card.md.jinja").read_text(encoding="utf-8")
    with in_english():
        return environment.from_string(text).render(
            card=card,
            metadata=metadata.to_yaml(),
            hub_id=hub_id,
            loss=LossCourse.of(card["training"]["log"]),
            question=card.get("example_question"),  # older versions kept none
        )


def published_card(text: str, repository: str, *, with_book: bool) -> str:
    """A model card as it is published: it says where the run lies then, and speaks of a book only where there is one.

    Args:
        text: the card as `model_card` made it; what people wrote there stays.
        repository: ``owner/name``.
    """
    text = text.replace(_HERE, repository)
    return text if with_book else _OF_THE_BOOK.sub("", text)


def hub_id_of(base: dict[str, str]) -> str | None:
    """The id under which the hub has the base; None for the base that ships and for a folder."""
    location = base["location"]
    is_there_only = base["name"] == "mini" or "/" not in location.removeprefix("./") or Path(location).is_dir()
    return None if is_there_only else location
