"""Koki turns a file of Indonesian recipes into a chef that answers in Indonesian.

`docs/python.md` shows the way from a file of recipes to an answer. What is here is imported when it is first used:
`Chef` and `Book` then take half a second, `train` several, since it brings torch along.
"""

import os
import warnings
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

# Threads that wait for their next piece of work shall sleep: by default they spin, and beside another busy program each
# of torch's many small operations then waits for a thread that is not on a core. OpenMP reads these once, when torch is
# imported, so they stand here, before everything; what the user has set stays.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # GNU's, on Linux
os.environ.setdefault("KMP_BLOCKTIME", "0")  # LLVM's and Intel's, on macOS and Windows: milliseconds to spin

# In a notebook without ipywidgets tqdm draws its bars as text, and complains when a library imports it.
warnings.filterwarnings("ignore", "IProgress not found")

if TYPE_CHECKING:
    from koki.book.store import Book
    from koki.config import RunConfig, load_config
    from koki.data.training_conversations import TrainingConversation, TrainingConversations, conversations
    from koki.errors import (
        BookError,
        CheckpointError,
        ConfigError,
        DataError,
        EmptyQuestion,
        HubError,
        KokiError,
        ModelError,
        ProofError,
        QuestionTooLong,
        RecipeFileNotFound,
        RunError,
        TrainingError,
        WorkerError,
    )
    from koki.evaluation.evaluate import evaluate
    from koki.evaluation.scorecard import Scorecard
    from koki.export.gguf_folder import export_gguf
    from koki.inference.answer import Answer
    from koki.inference.chef import Chef
    from koki.ingredients.parse import Ingredient, parse_ingredient
    from koki.pipeline import TrainResult, plan, train
    from koki.recipes.recipe import Recipe
    from koki.recipes.sequence import Recipes
    from koki.recipes.table import read_recipes
    from koki.training.callbacks import TrainingProgress
    from koki.training.plan import Plan

__version__ = "0.1.0"
__all__ = [
    "Answer",
    "Book",
    "BookError",
    "CheckpointError",
    "Chef",
    "ConfigError",
    "DataError",
    "EmptyQuestion",
    "HubError",
    "Ingredient",
    "KokiError",
    "ModelError",
    "Plan",
    "ProofError",
    "QuestionTooLong",
    "Recipe",
    "RecipeFileNotFound",
    "Recipes",
    "RunConfig",
    "RunError",
    "Scorecard",
    "TrainResult",
    "TrainingConversation",
    "TrainingConversations",
    "TrainingError",
    "TrainingProgress",
    "WorkerError",
    "__version__",
    "conversations",
    "evaluate",
    "export_gguf",
    "load_config",
    "parse_ingredient",
    "plan",
    "read_recipes",
    "train",
]

# The module of each name whose own is not `koki.errors`.
_MODULES: Final = {
    "Answer": "koki.inference.answer",
    "Book": "koki.book.store",
    "Chef": "koki.inference.chef",
    "Ingredient": "koki.ingredients.parse",
    "Plan": "koki.training.plan",
    "Recipe": "koki.recipes.recipe",
    "Recipes": "koki.recipes.sequence",
    "RunConfig": "koki.config",
    "Scorecard": "koki.evaluation.scorecard",
    "TrainResult": "koki.pipeline",
    "TrainingConversation": "koki.data.training_conversations",
    "TrainingConversations": "koki.data.training_conversations",
    "TrainingProgress": "koki.training.callbacks",
    "conversations": "koki.data.training_conversations",
    "evaluate": "koki.evaluation.evaluate",
    "export_gguf": "koki.export.gguf_folder",
    "load_config": "koki.config",
    "parse_ingredient": "koki.ingredients.parse",
    "plan": "koki.pipeline",
    "read_recipes": "koki.recipes.table",
    "train": "koki.pipeline",
}


def __getattr__(name: str) -> Any:
    """Import what is asked for."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES.get(name, "koki.errors")), name)


def __dir__() -> list[str]:
    """What there is to use."""
    return list(__all__)
