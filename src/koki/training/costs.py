"""What a run costs by formula: memory, disk and time.

The formulas count the floating-point operations and the saved activations of a Qwen2 or Qwen3 block under LoRA. What
no formula knows was measured once with `mini` on a CPU (`benchmarks/plan.py` compares it with real runs); for a GPU
the same constants are used, and its figures are rough.
"""

from dataclasses import dataclass
from typing import Final

from transformers import PretrainedConfig

from koki.config import LoraConfig, ResolvedConfig, RunConfig
from koki.model.device import Device
from koki.tokens.batches import Seen
from koki.training.loss import LOGITS_AT_ONCE
from koki.training.speed import Speed

# Python, torch, transformers and peft with their first buffers, in a process on a CPU, and on a GPU CUDA's context.
_PROCESS_BYTES: Final = 450e6
# What the allocator takes beyond what is asked of it, and gradients on their way through a block.
_ALLOCATED: Final = 1.32
# Of a tokenizer's files: of Qwen2's 11.5 MB, 76 for each token of its vocabulary.
_TOKENIZER_BYTES_PER_TOKEN: Final = 80
# Passes over memory, forward and backward, for each saved activation, in those of `Speed`.
_PASSES: Final = 24.0
# What a block takes for each micro-batch, forward and backward, however few tokens it has.
_SECONDS_PER_BLOCK: Final = 8e-3
# Logits, their softmax and its gradient exist at once.
_COPIES_OF_LOGITS: Final = 3


@dataclass(frozen=True, slots=True)
class Shape:
    """The sizes of a model from which its operations and its memory follow.

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
        """Read the sizes from a Qwen2 or Qwen3 model's configuration."""
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
        """The parameters of the blocks' linear layers; norms and biases are left out."""
        return self.layers * sum(inputs * outputs for inputs, outputs in self.projections.values())

    @property
    def embedding_parameters(self) -> int:
        """The parameters of the embeddings and the head, counted once where they are tied."""
        return (1 if self.tied else 2) * self.vocabulary * self.hidden_size

    def adapter_parameters(self, lora: LoraConfig) -> int:
        """The parameters of both LoRA matrices of every projection that has an adapter."""
        adapted = (sizes for name, sizes in self.projections.items() if name in lora.target_modules)
        return self.layers * lora.r * sum(inputs + outputs for inputs, outputs in adapted)

    def attention(self, length: float) -> float:
        """Floating-point operations of attention, forward, for one token of an example of ``length`` tokens.

        Attention is causal, so a token meets half of the others in the mean; scores and values are two products.
        """
        return 2 * self.layers * self.projections["q_proj"][1] * length

    def activations(self, lora: LoraConfig) -> float:
        """Count the floats that one token leaves in one block for the backward pass.

        These are inputs and outputs of both norms (4 H), queries, repeated keys and values, and attention's output
        twice (5 Q), gate, its activation, up and their product (4 I); for the adapters their inner rows and, with
        dropout, the places dropped, of 8 bytes each.
        """
        queries = self.projections["q_proj"][1]
        adapted = [sizes for name, sizes in self.projections.items() if name in lora.target_modules]
        places = 2 * lora.lora_dropout * sum(inputs for inputs, _ in adapted)
        return 4 * self.hidden_size + 5 * queries + 4 * self.intermediate_size + lora.r * len(adapted) + places


@dataclass(frozen=True, slots=True)
class Workload:
    """The conversations and tokens that go through the model in a whole run.

    Attributes:
        conversations: in the data.
        steps: of the optimizer.
        examples: of all steps.
        tokens: of all examples.
        supervised: the share of them that is predicted.
        length: tokens of an example, in the mean over tokens.
        seen: how often each recipe is.
    """

    conversations: int
    steps: int
    examples: int
    tokens: int
    supervised: float
    length: float
    seen: Seen


@dataclass(frozen=True, slots=True)
class Costs:
    """The memory, disk and time of a run, as far as they follow from its configuration and the model's shape."""

    config: ResolvedConfig
    shape: Shape
    device: Device

    @property
    def memory(self) -> float:
        """Bytes at the peak without the data: process, weights, adapter with its optimizer, and one micro-batch."""
        tokens = longest_micro_batch(self.config, self.config.training.tokens_per_micro_batch)
        return self.memory_of(tokens)

    def memory_of(self, tokens: float) -> float:
        """Bytes at the peak, as `memory`, for a micro-batch of so many tokens."""
        checkpointing = self.config.training.gradient_checkpointing
        return peak_memory(self.config, self.shape, self.device, tokens, checkpointing=checkpointing)

    @property
    def _adapter(self) -> int:
        """The number of parameters that are trained."""
        return self.shape.adapter_parameters(self.config.lora)

    @property
    def disk(self) -> float:
        """Bytes of a run folder: the result, and one checkpoint more than are kept.

        A new one is written before the oldest goes; the best one, where it is wanted, is kept beside the newest.
        """
        result = 4 * self._adapter + _TOKENIZER_BYTES_PER_TOKEN * self.shape.vocabulary
        moments = 8 * self._adapter  # AdamW's two
        kept = self.config.training.save_total_limit + self.config.evaluation.load_best_model_at_end
        return result + (kept + 1) * (result + moments)

    def seconds(self, workload: Workload, speed: Speed) -> float:
        """Seconds of all steps: those of the matrix products, and of the passes over activations beside them."""
        shape = self.shape
        # a frozen matrix is used forward and for its input's gradient; an adapter's also for its own
        forward = 2 * shape.linear_parameters + 2 * self._adapter + shape.attention(workload.length)
        operations = 2 * forward + 2 * self._adapter + (forward if self.config.training.gradient_checkpointing else 0)
        operations += 4 * shape.vocabulary * shape.hidden_size * workload.supervised
        again = 4 / 3 if self.config.training.gradient_checkpointing else 1
        passes = _PASSES * shape.layers * shape.activations(self.config.lora) * again
        blocks = _SECONDS_PER_BLOCK * again * shape.layers * self._micro_batches(workload)
        return blocks + workload.tokens * (operations / speed.multiplications + passes * speed.per_element)

    def _micro_batches(self, workload: Workload) -> float:
        """The number of micro-batches of all steps; in each, half an example's length stays empty in the mean."""
        room = self.config.training.tokens_per_micro_batch - workload.tokens / workload.examples / 2
        if room <= 0:
            return workload.examples
        return min(workload.examples, max(workload.steps, workload.tokens / room))


def longest_micro_batch(config: RunConfig, tokens_per_micro_batch: int) -> int:
    """Tokens of the longest micro-batch; a conversation that is longer than one may be has one of its own."""
    return max(tokens_per_micro_batch, config.tokens.max_length)


def peak_memory(config: RunConfig, shape: Shape, device: Device, tokens: float, *, checkpointing: bool) -> float:
    """Bytes at the peak without the data: process, weights, adapter with its optimizer, and one micro-batch.

    Args:
        tokens: of the micro-batch.
        checkpointing: whether activations are computed twice; the configuration may leave it open.
    """
    activation_bytes = 4 if device.mixed_precision == "no" else 2
    kept = shape.activations(config.lora) * (1 if checkpointing else shape.layers)
    if checkpointing:
        kept += shape.layers * shape.hidden_size
    logits = _COPIES_OF_LOGITS * 4 * min(tokens * shape.vocabulary, LOGITS_AT_ONCE)
    adapter = 16 * shape.adapter_parameters(config.lora)  # weights, gradients and AdamW's two moments, in float32
    weights = _base_bytes(config, shape, device)
    return _PROCESS_BYTES + weights + adapter + _ALLOCATED * (activation_bytes * kept * tokens + logits)


def _base_bytes(config: RunConfig, shape: Shape, device: Device) -> float:
    """Bytes of the frozen base; a quantised one keeps its embeddings in the device's dtype."""
    each = device.dtype.itemsize
    linear = {None: each, "8bit": 1.0, "4bit": 0.52}[config.model.quantization]  # 4 bits and their scales
    return linear * shape.linear_parameters + each * shape.embedding_parameters
