"""What a run will take, before anything expensive: time, memory and disk, by formula and two quick measurements.

The formulas count the floating-point operations and the saved activations of a Qwen2 or Qwen3 block under LoRA. What
no formula knows was measured once with `mini` on a CPU (`benchmarks/plan.py` compares it with real runs); for a GPU
the same constants are used, and its figures are rough.
"""

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

import psutil
import torch
from rich.table import Table
from torch.nn import functional
from transformers import PretrainedConfig, TrainingArguments

from koki.config import LoraConfig, RunConfig
from koki.formatting import duration, gigabytes
from koki.model.device import Device
from koki.tokens.batches import VariationSampler
from koki.tokens.dataset import IGNORED, ConversationDataset
from koki.training.loss import LOGITS_AT_ONCE
from koki.training.trainer import optimizer_steps

# Python, torch, transformers and peft with their first buffers, in a process on a CPU, and on a GPU CUDA's context.
_PROCESS_BYTES = 450e6
# Recipes, phrasebook and tokens, for each conversation.
_BYTES_PER_CONVERSATION = 1_000
# What the allocator takes beyond what is asked of it, and gradients on their way through a block.
_ALLOCATED = 1.32
# Of a tokenizer's files: of Qwen2's 11.5 MB, 76 for each token of its vocabulary.
_TOKENIZER_BYTES_PER_TOKEN = 80
# Passes over memory, forward and backward, for each saved activation, in those of `Speed`.
_PASSES = 24.0
# What a block takes for each micro-batch, forward and backward, however few tokens it has.
_SECONDS_PER_BLOCK = 8e-3
# Logits, their softmax and its gradient exist at once.
_COPIES_OF_LOGITS = 3
# A step with long conversations, in those of the mean.
_LONG_STEP = 1.2
# A run may take so much of what is free: the rest is for what else the machine does.
_SHARE_OF_FREE = 0.8
# As much of a GPU's memory goes to a run whose micro-batches may be as long as fit.
_SHARE_OF_GPU = 0.7
_ROWS = 1024  # tokens in the two measurements


@dataclass(frozen=True, slots=True)
class Shape:
    """What of a model its operations and its memory follow from.

    Attributes:
        projections: name -> (inputs, outputs) of the linear layers of a block.
    """

    hidden_size: int
    intermediate_size: int
    layers: int
    vocabulary: int
    tied: bool
    projections: dict[str, tuple[int, int]]

    @classmethod
    def of(cls, config: PretrainedConfig) -> "Shape":
        """From a Qwen2 or Qwen3 model's configuration."""
        hidden, inner = int(config.hidden_size), int(config.intermediate_size)
        width = int(getattr(config, "head_dim", None) or hidden // config.num_attention_heads)
        queries, keys = width * int(config.num_attention_heads), width * int(config.num_key_value_heads)
        return cls(
            hidden,
            inner,
            int(config.num_hidden_layers),
            int(config.vocab_size),
            bool(config.tie_word_embeddings),
            {
                "q_proj": (hidden, queries),
                "k_proj": (hidden, keys),
                "v_proj": (hidden, keys),
                "o_proj": (queries, hidden),
                "gate_proj": (hidden, inner),
                "up_proj": (hidden, inner),
                "down_proj": (inner, hidden),
            },
        )

    @property
    def linear_parameters(self) -> int:
        """Of the blocks, without norms and biases."""
        return self.layers * sum(inputs * outputs for inputs, outputs in self.projections.values())

    @property
    def embedding_parameters(self) -> int:
        """Of the embeddings and the head."""
        return (1 if self.tied else 2) * self.vocabulary * self.hidden_size

    def adapter_parameters(self, lora: LoraConfig) -> int:
        """Of both matrices of every projection that has an adapter."""
        adapted = (sizes for name, sizes in self.projections.items() if name in lora.target_modules)
        return self.layers * lora.r * sum(inputs + outputs for inputs, outputs in adapted)

    def attention(self, length: float) -> float:
        """Operations forward for one token of an example of ``length`` tokens, causal: half of all pairs, twice."""
        return 2 * self.layers * self.projections["q_proj"][1] * length

    def activations(self, lora: LoraConfig) -> float:
        """Floats that one token leaves in one block for the backward pass.

        Inputs and outputs of both norms (4 H), queries, repeated keys and values, and attention's output twice (5 Q),
        gate, its activation, up and their product (4 I); for the adapters their inner rows and, with dropout, the
        places dropped, of 8 bytes each.
        """
        queries = self.projections["q_proj"][1]
        adapted = [sizes for name, sizes in self.projections.items() if name in lora.target_modules]
        places = 2 * lora.lora_dropout * sum(inputs for inputs, _ in adapted)
        return 4 * self.hidden_size + 5 * queries + 4 * self.intermediate_size + lora.r * len(adapted) + places


@dataclass(frozen=True, slots=True)
class Workload:
    """What goes through the model in a whole run.

    Attributes:
        conversations: in the data.
        steps: of the optimizer.
        examples: of all steps.
        tokens: of all examples.
        supervised: the share of them that is predicted.
        length: tokens of an example, in the mean over tokens.
    """

    conversations: int
    steps: int
    examples: int
    tokens: int
    supervised: float
    length: float


@dataclass(frozen=True, slots=True)
class Speed:
    """What this machine does.

    Attributes:
        multiplications: floating-point operations a second in a matrix product of the model's width.
        per_element: seconds that an elementwise function takes for one number.
    """

    multiplications: float
    per_element: float


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run will take.

    Attributes:
        seconds: of training, without reading the data and loading the model.
        memory: bytes at the peak, in the process on a CPU, on the device otherwise.
        free_memory: bytes, now.
        disk: bytes that the run folder takes at most.
    """

    steps: int
    tokens: int
    seconds: float
    memory: float
    free_memory: float
    disk: float
    gradient_checkpointing: bool
    device: str

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)

    def render(self) -> Table:
        """For a terminal."""
        table = Table(title="Plan", title_justify="left", box=None, pad_edge=False, title_style="bold")
        table.add_column()
        table.add_column()
        table.add_row("steps", f"{self.steps:,} ({self.tokens:,} tokens)")
        table.add_row("time", f"about {duration(self.seconds)} of training on {self.device}")
        table.add_row("memory", f"about {gigabytes(self.memory)}; {gigabytes(self.free_memory)} are free")
        table.add_row("disk", f"at most {gigabytes(self.disk)}")
        table.add_row("checkpointing", "on" if self.gradient_checkpointing else "off")
        return table


@dataclass(frozen=True, slots=True)
class Costs:
    """What a run with this configuration takes of a machine, as far as it follows from the model's shape alone."""

    config: RunConfig
    shape: Shape
    device: Device

    @property
    def checkpointing(self) -> bool:
        """The setting; where it is ``auto``, whether activations would not fit otherwise."""
        setting = self.config.training.gradient_checkpointing
        if setting != "auto":
            return setting
        return self._memory(self._most_tokens, checkpointing=False) > _SHARE_OF_FREE * free_memory(self.device)

    def decided(self, *, checkpointing: bool) -> "Costs":
        """The same, with a configuration that leaves neither checkpointing nor the tokens of a micro-batch open.

        On a GPU, a step that may be cut anywhere is cut into as few pieces as fit: it is faster, and has the same
        gradients.
        """
        decisions: dict[str, Any] = {"gradient_checkpointing": checkpointing}
        if self.config.training.tokens_per_micro_batch is None and self.device.kind == "cuda":
            decisions["tokens_per_micro_batch"] = self._most_that_fit(checkpointing=checkpointing)
        training = self.config.training.model_copy(update=decisions)
        return replace(self, config=self.config.model_copy(update={"training": training}))

    def _most_that_fit(self, *, checkpointing: bool) -> int:
        """Tokens of a micro-batch: of a whole step, or of half of it, ..., but not less than the mission's.

        What memory the GPU has decides, not what is free of it: so it is the same when a run goes on.
        """
        missions = self.config.tokens_per_micro_batch
        most = missions * self.config.training.gradient_accumulation_steps
        while most > missions and self._memory(most, checkpointing=checkpointing) > _SHARE_OF_GPU * all_memory():
            most //= 2
        return max(most, missions)

    @property
    def memory(self) -> float:
        """Bytes at the peak without the data: process, weights, adapter with its optimizer, and one micro-batch."""
        return self._memory(self._most_tokens, checkpointing=self.checkpointing)

    @property
    def _most_tokens(self) -> int:
        """Of a micro-batch; a conversation that is longer than it may be has one of its own."""
        return max(self.config.tokens_per_micro_batch, self.config.tokens.max_length)

    def _memory(self, tokens: float, *, checkpointing: bool) -> float:
        config, shape = self.config, self.shape
        activation_bytes = 4 if self.device.mixed_precision == "no" else 2
        kept = shape.activations(config.lora) * (1 if checkpointing else shape.layers)
        if checkpointing:
            kept += shape.layers * shape.hidden_size
        logits = _COPIES_OF_LOGITS * 4 * min(tokens * shape.vocabulary, LOGITS_AT_ONCE)
        adapter = 16 * self._adapter  # weights, gradients and AdamW's two moments, in float32
        return _PROCESS_BYTES + self._weights + adapter + _ALLOCATED * (activation_bytes * kept * tokens + logits)

    @property
    def _weights(self) -> float:
        """Bytes of the frozen base; a quantised one keeps its embeddings in the device's dtype."""
        each = self.device.dtype.itemsize
        linear = {None: each, "8bit": 1.0, "4bit": 0.52}[self.config.model.quantization]  # 4 bits and their scales
        return linear * self.shape.linear_parameters + each * self.shape.embedding_parameters

    @property
    def _adapter(self) -> int:
        """Parameters that are trained."""
        return self.shape.adapter_parameters(self.config.lora)

    @property
    def disk(self) -> float:
        """Bytes of a run folder: the result, and one checkpoint more than are kept, written before the oldest goes.

        The best one, where it is wanted, is kept beside the newest.
        """
        result = 4 * self._adapter + _TOKENIZER_BYTES_PER_TOKEN * self.shape.vocabulary
        moments = 8 * self._adapter  # AdamW's two
        kept = self.config.training.save_total_limit + self.config.evaluation.load_best_model_at_end
        return result + (kept + 1) * (result + moments)

    def seconds(self, workload: Workload, speed: Speed) -> float:
        """Of all steps: the time of the matrix products, and of the passes over activations beside them."""
        shape = self.shape
        # a frozen matrix is used forward and for its input's gradient; an adapter's also for its own
        forward = 2 * shape.linear_parameters + 2 * self._adapter + shape.attention(workload.length)
        operations = 2 * forward + 2 * self._adapter + (forward if self.checkpointing else 0)
        operations += 4 * shape.vocabulary * shape.hidden_size * workload.supervised
        again = 4 / 3 if self.checkpointing else 1
        passes = _PASSES * shape.layers * shape.activations(self.config.lora) * again
        blocks = _SECONDS_PER_BLOCK * again * shape.layers * self._micro_batches(workload)
        return blocks + workload.tokens * (operations / speed.multiplications + passes * speed.per_element)

    def _micro_batches(self, workload: Workload) -> float:
        """Of all steps; the last example that does not fit leaves half of its length empty, in the mean."""
        room = self.config.tokens_per_micro_batch - workload.tokens / workload.examples / 2
        if room <= 0:
            return workload.examples
        return min(workload.examples, max(workload.steps, workload.tokens / room))

    def plan(self, workload: Workload) -> Plan:
        """All of it, with the data and this machine's speed."""
        tokens = min(self._most_tokens, _LONG_STEP * workload.tokens / workload.steps)
        return Plan(
            steps=workload.steps,
            tokens=workload.tokens,
            seconds=self.seconds(workload, measure(self.shape, self.device)),
            memory=self._memory(tokens, checkpointing=self.checkpointing)
            + _BYTES_PER_CONVERSATION * workload.conversations,
            free_memory=free_memory(self.device),
            disk=self.disk,
            gradient_checkpointing=self.checkpointing,
            device=self.device.name,
        )


def workload_of(
    dataset: ConversationDataset, sampler: VariationSampler, arguments: TrainingArguments, sample: int = 256
) -> Workload:
    """What goes through the model: lengths are counted, the supervised share is that of some conversations."""
    lengths = dataset.lengths()
    numbers: list[int] = []
    for epoch in range(math.ceil(arguments.num_train_epochs)):
        sampler.set_epoch(epoch)
        numbers += sampler
    sampler.set_epoch(0)
    drawn = lengths[numbers]
    steps = optimizer_steps(arguments, len(sampler))
    examples = [dataset[number] for number in numbers[:: max(1, len(numbers) // sample)]]
    supervised = sum(int((example["labels"] != IGNORED).sum()) for example in examples)
    count = _examples(arguments, len(sampler), steps)
    return Workload(
        conversations=len(dataset),
        steps=steps,
        examples=count,
        tokens=round(drawn.mean() * count),
        supervised=supervised / sum(len(example["labels"]) for example in examples),
        length=float((drawn**2).sum() / drawn.sum()),
    )


def _examples(arguments: TrainingArguments, an_epoch: int, steps: int) -> int:
    """Examples of so many steps; the last step of an epoch may have fewer than the others."""
    epochs, rest = divmod(steps, math.ceil(an_epoch / arguments.train_batch_size))
    return epochs * an_epoch + rest * arguments.train_batch_size


def free_memory(device: Device) -> float:
    """Bytes that a process may take on the device now; on several GPUs, on all of them together."""
    if device.kind == "cuda":
        return float(sum(torch.cuda.mem_get_info(number)[0] for number in range(device.count)))
    return float(psutil.virtual_memory().available)


def all_memory() -> float:
    """Bytes of the current GPU, free or not."""
    return float(torch.cuda.mem_get_info()[1])


def measure(shape: Shape, device: Device) -> Speed:
    """How fast this machine is at what the model does, in about a second."""
    dtype = torch.float32 if device.mixed_precision == "no" else device.dtype
    x = torch.ones(_ROWS, shape.hidden_size, dtype=dtype, device=device.kind)
    weight = torch.ones(shape.hidden_size, shape.intermediate_size, dtype=dtype, device=device.kind)
    wide = torch.ones(_ROWS, shape.intermediate_size, dtype=dtype, device=device.kind)
    operations = 2 * _ROWS * shape.hidden_size * shape.intermediate_size
    product = _best_seconds(lambda: x @ weight, device)
    elementwise = _best_seconds(lambda: functional.silu(wide), device)
    return Speed(operations / product, elementwise / wide.numel())


def _best_seconds(function: Callable[[], Any], device: Device, budget: float = 0.3) -> float:
    """The shortest of several calls: other work on the machine only makes them longer."""
    best, started = float("inf"), time.perf_counter()
    while True:
        before = time.perf_counter()
        function()
        if device.kind == "cuda":
            torch.cuda.synchronize()
        best = min(best, time.perf_counter() - before)
        if time.perf_counter() - started > budget:
            return best
