"""What tests share: small real data, a small checkpoint, a console that acts, and what a run left behind.

Nothing here imports torch, so that tests that need none start at once; what does is in ``torch_helpers.py``.
"""

import csv
import io
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from koki.book.naming import names_of
from koki.config import RunConfig, load_config, read_assignments
from koki.data import conversations
from koki.dialogue.compose import Composer
from koki.dialogue.conversation import Conversation
from koki.dialogue.phrasebook import load_phrasebook, load_tips
from koki.dialogue.shelf import shelf_of
from koki.recipes.recipe import Recipe
from koki.runs import checkpoints

SHARED_DATA = Path(__file__).parents[2] / "shared" / "data"


SOTO = {
    "Title": "Soto Ayam",
    "Ingredients": "1 ekor ayam--2 batang serai, memarkan--1 liter air"
    "--Bumbu halus:--6 siung bawang merah--2 ruas kunyit",
    "Steps": "Rebus ayam sampai empuk."
    "--Tumis bumbu halus sampai matang agar kuahnya harum, lalu masukkan ke rebusan.--Sajikan hangat.",
}


ORAK = {
    "Title": "Tempe Orek",
    "Ingredients": "1 papan tempe, potong dadu--3 sdm kecap manis--4 siung bawang merah, iris--2 buah cabai merah",
    "Steps": "Goreng tempe sampai kering.--Tumis bawang dan cabai, masukkan kecap dan tempe, aduk rata.",
}


TELUR = {
    "Title": "Telur Dadar",
    "Ingredients": "3 butir telur--2 batang daun bawang, iris--1 buah tomat, iris--garam secukupnya",
    "Steps": "Kocok telur dengan daun bawang dan tomat.--Goreng sampai matang di kedua sisi.",
}


# Asked of a chef side by side: of other lengths, and one of them twice.
QUESTIONS = [
    "Resep soto ayam dong!",
    "Saya punya tempe, kecap manis, cabai merah, dan bawang merah. Bisa dimasak jadi apa?",
    "Telur?",
    "Langkah-langkah membuat telur dadar apa saja?",
    "Resep soto ayam dong!",
]


Composing = Callable[[Recipe], list[Conversation]]
"""A recipe of a collection -> its conversations."""


def composer_of(recipes: Sequence[Recipe], seed: int = 42) -> Composer:
    """With the words and the tips that ship."""
    return Composer(load_phrasebook(), load_tips(), shelf_of(recipes, names_of(recipes)), seed)


def composing(recipes: Sequence[Recipe], seed: int = 42) -> Composing:
    """What composes the conversations of these recipes that are answered from memory."""
    names, composer = names_of(recipes), composer_of(recipes, seed)
    return lambda recipe: composer.compose(recipe, names[recipe.id])


def compose(recipes: Sequence[Recipe], config: RunConfig) -> Iterator[list[Conversation]]:
    """The conversations about each of these recipes, then those about each tip and each refusal, as a run has them."""
    names = names_of(recipes)
    composer = conversations.composer_of(recipes, names, config)
    for recipe in recipes:
        yield conversations.conversations_of(recipe, names[recipe.id], composer, config)
    yield from conversations.conversations_besides(composer, config)


def write_csv(path: Path, rows: Sequence[dict[str, str]]) -> Path:
    """Write recipes in the users' format."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def printed(console: Console) -> str:
    """What a console of the fixture `console` has printed."""
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


class Interrupting(Console):
    """A console that does something the first time a text is printed: a hand on the keyboard, a machine that dies.

    Args:
        moments: text -> what happens when it is printed.
    """

    def __init__(self, moments: dict[str, Callable[[], object]]) -> None:
        super().__init__(file=io.StringIO(), width=200)
        self._moments = dict(moments)

    def print(self, *objects: Any, **options: Any) -> None:
        super().print(*objects, **options)
        for moment in [moment for moment in self._moments if any(moment in str(thing) for thing in objects)]:
            self._moments.pop(moment)()


IDENTITY = {"seed": 42, "lora.r": 16}


def save_checkpoint(run: Path, step: int, keep: int = 2) -> Path:
    """Save a small checkpoint as a trainer does."""
    with checkpoints.staging(run) as staging:
        staged = staging / f"checkpoint-{step}"
        staged.mkdir()
        (staged / "adapter_model.safetensors").write_bytes(bytes([step % 256]) * 100)
        (staged / "trainer_state.json").write_text(json.dumps({"global_step": step}))
        newest = checkpoints.publish(run, staged, IDENTITY)
        checkpoints.rotate(run, newest, keep)
    return newest


SHORT = (
    "data.tips=false",
    "data.refusals=false",
    "data.validation_fraction=0",
    "data.variations=8",
    "training.max_steps=12",
    "training.per_device_train_batch_size=1",
    "training.gradient_accumulation_steps=2",
    "training.tokens_per_micro_batch=1",  # each conversation by itself, so that a step has two micro-batches
    "training.warmup_steps=2",
    "training.learning_rate=1e-3",
    "training.save_steps=6",
    "training.logging_steps=3",
    "training.gradient_checkpointing=false",
)


def config_of_short_run(base: str, recipe_csv: Path, output: Path, *assignments: str) -> RunConfig:
    """The configuration of a run of twelve steps; settings are given as key=value texts."""
    flags = {"model.name": base, "data.files": [str(recipe_csv)], "output": str(output)}
    return load_config(settings=flags | read_assignments([*SHORT, *assignments]))


def weights(folder: Path) -> bytes:
    """The adapter of a run or checkpoint."""
    return (folder / "adapter_model.safetensors").read_bytes()


def logged(folder: Path) -> list[tuple[float | None, ...]]:
    """All that is logged, but for speed and time."""
    log = json.loads((folder / "training_metadata.json").read_text("utf-8"))["training"]["log"]
    names = ("step", "epoch", "loss", "grad_norm", "learning_rate", "num_input_tokens_seen")
    return [tuple(entry.get(name) for name in names) for entry in log]
