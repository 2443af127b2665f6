"""The plan of a run before anything expensive: its steps, and what they cost on this machine."""

import math
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from rich.table import Table
from transformers import TrainingArguments

from koki.formatting import duration, gigabytes
from koki.language import _
from koki.model.device import in_words
from koki.tokens.batches import Seen, VariationSampler
from koki.tokens.dataset import IGNORED, ConversationDataset, Example
from koki.training.costs import Costs, Workload, longest_micro_batch
from koki.training.speed import free_memory, measure
from koki.training.trainer import optimizer_steps

BY_HEART: Final = 40
"""How often a new recipe must be seen to be known by heart: with 800 steps of 1.6e-3 on the base that ships, fifty real
recipes seen 43 times each came back whole when all was asked for, and 24 of 25 times in short questions."""

# Recipes, phrasebook and tokens, for each conversation.
_BYTES_PER_CONVERSATION: Final = 1_000
# A step with long conversations, in those of the mean.
_LONG_STEP: Final = 1.2


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run will take.

    Attributes:
        seconds: of training, without reading the data and loading the model.
        memory: bytes at the peak, in the process on a CPU, on the device otherwise.
        free_memory: bytes, now.
        disk: bytes that the run folder takes at most.
        seen: how often each recipe is.
    """

    steps: int
    tokens: int
    seconds: float
    memory: float
    free_memory: float
    disk: float
    seen: Seen
    gradient_checkpointing: bool
    device: str

    def as_dict(self) -> dict[str, Any]:
        """The plan, JSON-ready."""
        return asdict(self) | {"seen": self.seen._asdict()}

    def render(self) -> Table:
        """The plan as a table for a terminal."""
        table = Table(title=_("Plan"), title_justify="left", box=None, pad_edge=False, title_style="bold")
        table.add_column()
        table.add_column()
        table.add_row(_("steps"), _("{steps:,} ({tokens:,} tokens)", steps=self.steps, tokens=self.tokens))
        table.add_row(
            _("each recipe"),
            _("seen {mean:,.0f} times in the mean, {least:,.0f} at least", mean=self.seen.mean, least=self.seen.least),
        )
        table.add_row(
            _("time"),
            _("about {time} of training on {device}", time=duration(self.seconds), device=in_words(self.device)),
        )
        table.add_row(
            _("memory"),
            _(
                "about {needed}; {free} are free",
                needed=gigabytes(self.memory),
                free=gigabytes(self.free_memory),
            ),
        )
        table.add_row(_("disk"), _("at most {disk}", disk=gigabytes(self.disk)))
        table.add_row(_("checkpointing"), _("on") if self.gradient_checkpointing else _("off"))
        return table


def plan_of(costs: Costs, workload: Workload) -> Plan:
    """What a run will take, with its data and this machine's speed, which is measured."""
    training, shape = costs.config.training, costs.shape
    longest = longest_micro_batch(costs.config, training.tokens_per_micro_batch)
    tokens = min(longest, _LONG_STEP * workload.tokens / workload.steps)
    speed = measure(shape.hidden_size, shape.intermediate_size, costs.device)
    return Plan(
        steps=workload.steps,
        tokens=workload.tokens,
        seconds=costs.seconds(workload, speed),
        memory=costs.memory_of(tokens) + _BYTES_PER_CONVERSATION * workload.conversations,
        free_memory=free_memory(costs.device),
        disk=costs.disk,
        seen=workload.seen,
        gradient_checkpointing=training.gradient_checkpointing,
        device=costs.device.name,
    )


def workload_of(
    dataset: ConversationDataset, sampler: VariationSampler, arguments: TrainingArguments, sample: int = 256
) -> Workload:
    """Count what goes through the model; the supervised share is that of a sample of the conversations."""
    epochs = math.ceil(arguments.num_train_epochs)
    every = max(1, epochs * len(sampler) // sample)
    count = tokens = squares = 0
    examples: list[Example] = []
    for epoch in range(epochs):
        sampler.set_epoch(epoch)
        numbers = np.fromiter(sampler, np.int64, len(sampler))
        drawn = dataset.lengths[numbers].astype(np.int64)
        tokens, squares = tokens + int(drawn.sum()), squares + int((drawn**2).sum())
        examples += [dataset[number] for number in numbers[-count % every :: every].tolist()]
        count += len(numbers)
    sampler.set_epoch(0)
    steps = optimizer_steps(arguments, len(sampler))
    supervised = sum(int((example["labels"] != IGNORED).sum()) for example in examples)
    everywhere = examples_of(arguments, len(sampler), steps)
    examples_here = everywhere // arguments.world_size
    return Workload(
        conversations=len(dataset),
        steps=steps,
        examples=examples_here,
        tokens=round(tokens / count * examples_here),
        supervised=supervised / sum(len(example["labels"]) for example in examples),
        length=squares / tokens,
        seen=sampler.seen(everywhere),
    )


def examples_of(arguments: TrainingArguments, an_epoch: int, steps: int) -> int:
    """The examples of so many steps, of all processes; the last step of an epoch may have fewer than the others."""
    a_step: int = arguments.train_batch_size * arguments.world_size
    epochs, rest = divmod(steps, math.ceil(an_epoch / a_step))
    return epochs * an_epoch + rest * a_step
