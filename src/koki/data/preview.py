"""The conversations of one recipe as the model will see them."""

from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Group
from rich.text import Text
from transformers import PreTrainedTokenizerBase

from koki.config import RunConfig
from koki.data.build import load_template
from koki.data.collection import Collection
from koki.data.conversations import conversations_of
from koki.data.recipes import RecipesOfRun
from koki.dialogue.conversation import Kind
from koki.errors import DataError
from koki.language import _
from koki.libraries import quiet_libraries
from koki.model.source import find_base
from koki.tokens.batches import Drawn
from koki.tokens.dataset import IGNORED, ConversationDataset, Example
from koki.tokens.examples import TypedConversations
from koki.tokens.fit_report import FitReport


@dataclass(frozen=True, slots=True)
class PreviewedConversation:
    """One conversation, cut where supervision starts and ends.

    Attributes:
        before, supervised, after: the text, special tokens included, of ignored, supervised and again ignored tokens.
        tokens, supervised_tokens: lengths.
    """

    kind: str
    before: str
    supervised: str
    after: str
    tokens: int
    supervised_tokens: int

    def as_dict(self) -> dict[str, str | int]:
        """JSON-ready."""
        return asdict(self)

    def render(self) -> Text:
        """For a terminal, the supervised text green and underlined."""
        said = _(
            "{kind}: {tokens} tokens, {supervised} supervised",
            kind=self.kind,
            tokens=self.tokens,
            supervised=self.supervised_tokens,
        )
        return Text(f"{said}\n", style="bold") + Text.assemble(
            (self.before, "dim"), (self.supervised, "underline green"), (self.after, "dim")
        )


@dataclass(frozen=True, slots=True)
class Preview:
    """All conversations of one recipe, as the first epoch asks them, and what was left out to fit."""

    title: str
    conversations: tuple[PreviewedConversation, ...]
    fit: FitReport
    is_held_out: bool
    typing_noise: float

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        conversations = [conversation.as_dict() for conversation in self.conversations]
        return {
            "title": self.title,
            "held_out": self.is_held_out,
            "conversations": conversations,
            "fit": self.fit.as_dict(),
        }

    def render(self) -> Group:
        """For a terminal."""
        notes = []
        if self.typing_noise:
            share = f"{self.typing_noise:g}"  # as it is set
            notes.append(
                _(
                    "Questions are shown as they are asked in the first epoch; in each, data.typing_noise={share} "
                    "of them are typed as on a phone.",
                    share=share,
                )
            )
        if self.is_held_out:
            notes.append(_("This recipe is held out: it is not trained on unless data.validation_fraction is 0."))
        return Group(*(conversation.render() for conversation in self.conversations), self.fit.render(), *notes)


def preview_recipe(config: RunConfig, number: int) -> Preview:
    """The conversations of recipe ``number``, counted from 1, as the model will see them.

    Those of a recipe that is held out are shown as they would be, were it trained on with the others.

    Raises:
        DataError: there is no such recipe, or none of its conversations fits.
    """
    quiet_libraries()
    recipes = RecipesOfRun(config)
    count = len(recipes.read)
    if number > count:
        raise DataError(_("There is no recipe {number}.", number=number), _("The data holds {count}.", count=count))
    recipe, place = recipes.read[number - 1], number - 1
    tokenizer, template = load_template(find_base(config.model).folder)
    learned, held_out = recipes.places
    is_held_out = place in held_out
    places = sorted([*learned, place]) if is_held_out else learned
    collection = Collection.of(recipes, places)
    name = collection.names[places.index(place)]
    group = conversations_of(recipe, name, collection.composer(config), config)
    dataset = ConversationDataset.of([group], template, len(tokenizer), config.tokens)
    examples = TypedConversations.of(dataset, collection.vocabulary(), config)
    shown = (
        _decode(examples[Drawn(number, epoch=0)], dataset.kind(number), tokenizer) for number in range(len(dataset))
    )
    return Preview(recipe.title, tuple(shown), dataset.report, is_held_out, config.data.typing_noise)


def _decode(example: Example, kind: Kind, tokenizer: PreTrainedTokenizerBase) -> PreviewedConversation:
    ids = example["input_ids"]
    supervised = (example["labels"] != IGNORED).nonzero()[0]
    start, end = int(supervised[0]), int(supervised[-1]) + 1
    return PreviewedConversation(
        kind=kind,
        before=str(tokenizer.decode(ids[:start])),
        supervised=str(tokenizer.decode(ids[start:end])),
        after=str(tokenizer.decode(ids[end:])),
        tokens=len(ids),
        supervised_tokens=end - start,
    )
