"""Build koki-mini, the small Qwen2 base model that ships with Koki, from CSV files of recipes.

    python scripts/build_mini.py RECIPES.csv ... --output src/koki/model/mini --work runs/mini --tokens 8_000_000

The result is a base model: it has read recipes, short cooking prose, and pages of a book before the questions that
they answer; it knows no answer to a question alone. The same files, seed, token budget and machine give the same bytes
(a budget in ``--minutes`` depends on the clock). A run that was interrupted goes on with ``--resume``; since the
learning rate stays level until the last part of the budget, an interrupted run may also be resumed with a smaller
budget, or a larger one.

``--bfloat16`` and glibc told to keep freed memory (``MALLOC_MMAP_MAX_=0 MALLOC_TRIM_THRESHOLD_=8000000000``) nearly
double the speed on an AMD Zen 4; on a processor without bfloat16 instructions the first is far slower. Beside other
work, ``OMP_WAIT_POLICY=PASSIVE``. The model that ships was made so in five parts, with ``--minutes 86``, with
``--resume --minutes 120``, and three times with ``--start EARLIER --learning-rate 2e-3``, 5, 6 and 4.5 million tokens.
Each had the texts of its day: the first not what is at hand, the first two no pages, the third no questions, and the
fourth not the note of what is wanted of a dish.

What is read is in ``mini_texts.py``, beside this script. From top to bottom: tokenizer, rows of tokens, training,
measurements, export.
"""

import argparse
import copy
import json
import math
import re
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib.resources import as_file, files
from itertools import islice
from pathlib import Path
from typing import Any, cast

import torch
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from torch.nn import functional
from transformers import GenerationConfig, Qwen2Config, Qwen2ForCausalLM

from koki.dialogue.phrasebook import load_phrasebook
from koki.errors import CheckpointError, KokiError
from koki.recipes.recipe import Recipe
from koki.tokens.template import QWEN2_SPLIT  # so that tools which know Qwen2 cut text as this tokenizer does
from mini_texts import OWN_REPEATS, Corpus, Document, chef_layout, documents, read_corpus, tip_layout

END_OF_TEXT, TURN_START, TURN_END = SPECIAL_TOKENS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")

CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)

SAMPLE_TITLE = "Soto Ayam Lamongan"  # one of the recipes that ship with Koki

ROPE_THETA = 10_000.0
IGNORED = -100  # the label that cross_entropy leaves out


@dataclass(frozen=True)
class Shape:
    """The size of the model; the defaults are koki-mini's."""

    vocab_size: int = 8192  # special tokens included
    hidden_size: int = 256
    layers: int = 6
    intermediate_size: int = 704
    heads: int = 4
    kv_heads: int = 2
    positions: int = 1024


@dataclass(frozen=True)
class Plan:
    """How the model is trained."""

    seed: int = 42
    learning_rate: float = 4e-3
    warm_up_steps: int = 100
    decay_share: float = 0.4  # the last part of the budget, in which the learning rate falls to zero
    weight_decay: float = 0.1
    clip_norm: float = 1.0
    rows: int = 2  # per step
    row_length: int = 1024  # tokens; the length Koki fine-tunes at where a chef reads before it answers
    held_out_share: float = 0.05
    bfloat16: bool = False  # arithmetic only: weights and optimizer stay float32


@dataclass(frozen=True)
class Budget:
    """Training ends after so many tokens or minutes, whichever comes first."""

    tokens: float = math.inf
    minutes: float = math.inf

    def used(self, tokens: int, seconds: float) -> float:
        """The share of the budget that is used up; training ends at 1."""
        return max(tokens / self.tokens, seconds / 60 / self.minutes)


# -------------------------------------------------------------------------------------------------- tokenizer


def train_tokenizer(texts: Sequence[str], vocab_size: int) -> Tokenizer:
    """A byte-level BPE tokenizer that differs from Qwen2's in its words alone; special tokens have the last ids."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(QWEN2_SPLIT), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size - len(SPECIAL_TOKENS),
        min_frequency=2,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.add_special_tokens(list(SPECIAL_TOKENS))
    tokenizer.encode_special_tokens = True  # what looks like a special token in a text is text
    return tokenizer


def read_tokenizer(file: Path) -> Tokenizer:
    """A tokenizer that was trained before."""
    tokenizer = Tokenizer.from_file(str(file))
    tokenizer.encode_special_tokens = True
    return tokenizer


def special_ids(tokenizer: Tokenizer) -> list[int]:
    """The ids of <|endoftext|>, <|im_start|> and <|im_end|>."""
    vocabulary = tokenizer.get_vocab()
    return [vocabulary[token] for token in SPECIAL_TOKENS]


def save_tokenizer(tokenizer: Tokenizer, folder: Path, positions: int) -> None:
    """Write the three files that AutoTokenizer needs, in their short form."""
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    settings = {
        "tokenizer_class": "Qwen2Tokenizer",
        "add_prefix_space": False,
        "bos_token": None,
        "unk_token": None,
        "eos_token": TURN_END,
        "pad_token": END_OF_TEXT,
        "extra_special_tokens": [TURN_START],
        "clean_up_tokenization_spaces": False,
        "model_max_length": positions,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(settings, indent=2) + "\n", "utf-8")
    (folder / "chat_template.jinja").write_text(CHAT_TEMPLATE, "utf-8")


# --------------------------------------------------------------------------------------------- rows of tokens


def encode(tokenizer: Tokenizer, texts: Sequence[Document]) -> list[list[int]]:
    """Token ids of each document, closed by <|endoftext|>."""
    end, start, stop = special_ids(tokenizer)
    role, newline = tokenizer.encode("assistant\n").ids, tokenizer.encode("\n").ids
    system = tokenizer.encode(f"system\n{load_phrasebook().system.prompt}").ids
    paragraph = tokenizer.encode("\n\n").ids
    before = tokenizer.encode_batch_fast([f"user\n{it.asked}" if it.asked else it.before for it in texts])
    encoded = tokenizer.encode_batch_fast([document.text for document in texts])

    def ids_of(document: Document, lead: list[int], text: list[int]) -> list[int]:
        answer = [start, *role, *text, stop, *newline, end]
        if document.asked:
            return [start, *system, stop, *newline, start, *lead, stop, *newline, *answer]
        if document.turn:
            return [*lead, *(newline if lead else []), *answer]
        return [*lead, *(paragraph if lead else []), *text, end]

    return [ids_of(*it) for it in zip(texts, (it.ids for it in before), (it.ids for it in encoded), strict=True)]


def pack(sequences: Sequence[list[int]], length: int, waiting: int = 256) -> torch.Tensor:
    """Fill rows of ``length`` tokens with sequences so that every row begins with the beginning of one.

    Of the next ``waiting`` sequences the longest that still fits comes next. Where none fits, the beginning of the
    first one closes the row; it is read in full later. A sequence longer than a row is cut to its length.

    Returns:
        int64 tensor of shape (rows, length); the last row is dropped where it stays short.
    """
    following = iter([sequence[:length] for sequence in sequences])
    queue = list(islice(following, waiting))
    rows: list[list[int]] = [[]]
    while queue:
        room = length - len(rows[-1])
        fitting = [sequence for sequence in queue if len(sequence) <= room]
        if fitting:
            chosen = max(fitting, key=len)
            queue.remove(chosen)
            queue.extend(islice(following, 1))
            rows[-1].extend(chosen)
        else:
            rows[-1].extend(queue[0][:room])
        if len(rows[-1]) == length:
            rows.append([])
    return torch.tensor(rows[:-1], dtype=torch.int64).reshape(-1, length)


def batches(
    corpus: Corpus, tokenizer: Tokenizer, plan: Plan, epoch: int, offset: int
) -> Iterator[tuple[int, int, torch.Tensor]]:
    """Endless batches from a place on: the place after each (epoch, row) and the batch (rows, row_length)."""
    while True:
        packed = pack(encode(tokenizer, documents(corpus, plan.seed, epoch)), plan.row_length)
        if len(packed) < plan.rows:
            raise KokiError("The recipes do not fill one batch.", "Give more recipes, or fewer and shorter rows.")
        for start in range(offset, len(packed) - plan.rows + 1, plan.rows):
            yield epoch, start + plan.rows, packed[start : start + plan.rows]
        epoch, offset = epoch + 1, 0


# --------------------------------------------------------------------------------------------------- training


def new_model(shape: Shape, vocab_size: int, seed: int) -> Qwen2ForCausalLM:
    """An untrained model, the same for the same seed."""
    torch.manual_seed(seed)
    config = Qwen2Config(
        vocab_size=vocab_size,
        hidden_size=shape.hidden_size,
        intermediate_size=shape.intermediate_size,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.kv_heads,
        max_position_embeddings=shape.positions,
        max_window_layers=shape.layers,
        rope_parameters={"rope_type": "default", "rope_theta": ROPE_THETA},
        tie_word_embeddings=True,
    )
    model = Qwen2ForCausalLM(config)
    for name, parameter in model.named_parameters():
        # every block starts as the identity: lower loss after the same tokens (measured: 4.54 -> 4.17 after 145,000)
        if name.endswith(("o_proj.weight", "down_proj.weight")):
            torch.nn.init.zeros_(parameter)
    look_at_the_token_before(model)
    return model


@torch.no_grad()
def look_at_the_token_before(model: Qwen2ForCausalLM, sharpness: float = 4.0) -> None:
    """Let the first head of the first block start out attending to the token before, through its biases alone.

    A model finds what came after an earlier mention with two heads in a row, of which the first tells each token its
    predecessor (Olsson et al. 2022). With rotary positions, the biases q and k give the score sum(cos((t - s - 1) w))
    over the frequencies w, which is highest one token back. Measured: 1.238 -> 1.200 held-out bits per byte after
    430,000 tokens.
    """
    attention: Any = model.model.layers[0].self_attn
    width = int(attention.head_dim)
    frequencies = ROPE_THETA ** (-torch.arange(0, width, 2) / width)
    one_back = torch.cat([frequencies.cos(), -frequencies.sin()])
    here = torch.cat([torch.ones(width // 2), torch.zeros(width // 2)])
    attention.q_proj.bias[:width] = sharpness**0.5 * one_back
    attention.k_proj.bias[:width] = sharpness**0.5 * here
    attention.o_proj.weight[:, :width].normal_(std=0.02)


def new_optimizers(model: Any, plan: Plan) -> list[torch.optim.Optimizer]:
    """Muon for the matrices of the blocks, AdamW for everything else; norms and biases do not decay.

    Muon (Jordan et al. 2024) makes the update of a matrix orthogonal; with it the held-out bits per byte after eight
    minutes on one core fell from 1.18 to 1.13 (measured). Its updates are scaled to AdamW's size (Liu et al. 2025),
    so both share one learning rate.
    """
    embeddings = {id(model.get_input_embeddings().weight)}
    matrices = [p for p in model.parameters() if p.ndim == 2 and id(p) not in embeddings]
    vectors = [p for p in model.parameters() if p.ndim < 2]
    rest = [
        {"params": [p for p in model.parameters() if id(p) in embeddings], "weight_decay": plan.weight_decay},
        {"params": vectors, "weight_decay": 0.0},
    ]
    return [
        torch.optim.Muon(
            matrices, lr=plan.learning_rate, weight_decay=plan.weight_decay, adjust_lr_fn="match_rms_adamw"
        ),
        torch.optim.AdamW(rest, lr=plan.learning_rate, betas=(0.9, 0.99), fused=True),
    ]


def next_token_loss(model: Qwen2ForCausalLM, ids: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Summed cross-entropy in nats of the labels, each predicted from the ids before it; both (rows, length)."""
    logits = model(input_ids=ids[:, :-1], use_cache=False).logits
    return functional.cross_entropy(
        logits.float().flatten(0, 1), labels[:, 1:].flatten(), ignore_index=IGNORED, reduction="sum"
    )


@dataclass
class Place:
    """How far training has come."""

    step: int = 0
    tokens: int = 0
    seconds: float = 0.0
    epoch: int = 0
    row: int = 0
    loss: float = 0.0  # nats a token, averaged over about the last 50 steps


class Trainer:
    """Trains one model on one corpus; its whole state is in ``work/state.pt``."""

    def __init__(self, corpus: Corpus, shape: Shape, plan: Plan, work: Path, start: Path | None = None) -> None:
        self.corpus, self.shape, self.plan, self.work = corpus, shape, plan, work
        learned = [chef_layout(recipe) for recipe in (*corpus.train, *corpus.own)]
        learned += map(tip_layout, corpus.tips)
        self.trained_before = trained_before(start) if start else ""
        if start is None:
            self.tokenizer = train_tokenizer(learned, shape.vocab_size)
            self.model = new_model(shape, self.tokenizer.get_vocab_size(), plan.seed)
        else:
            self.tokenizer = read_tokenizer(start / "tokenizer.json")
            self.model = Qwen2ForCausalLM.from_pretrained(start, dtype=torch.float32)
        self.optimizers = new_optimizers(self.model, plan)
        self.place = Place()

    def train(self, budget: Budget, save_every: float = 180.0) -> None:
        """Go on from the present place to the end of the budget; save every ``save_every`` seconds."""
        started = last_saved = time.monotonic()
        before = self.place.seconds
        self.model.train()
        for epoch, row, ids in batches(self.corpus, self.tokenizer, self.plan, self.place.epoch, self.place.row):
            used = budget.used(self.place.tokens, self.place.seconds)
            if used >= 1:
                break
            self._step(ids, used)
            now = time.monotonic()
            self.place.epoch, self.place.row, self.place.seconds = epoch, row, before + now - started
            if self.place.step % 50 == 0:
                self._report(budget)
            if now - last_saved > save_every:
                last_saved = now
                self.save()
        self.save()

    def _step(self, ids: torch.Tensor, used: float) -> None:
        place, plan = self.place, self.plan
        warm = min(1.0, (place.step + 1) / plan.warm_up_steps)
        cooling = min(1.0, (1 - used) / plan.decay_share)
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = plan.learning_rate * warm * cooling
        with torch.autocast("cpu", torch.bfloat16, enabled=plan.bfloat16):
            loss = next_token_loss(self.model, ids, ids) / ids[:, 1:].numel()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), plan.clip_norm)
        for optimizer in self.optimizers:
            optimizer.step()
            optimizer.zero_grad()
        place.step += 1
        place.tokens += ids.numel()
        memory = min(0.98, 1 - 1 / place.step)
        place.loss = memory * place.loss + (1 - memory) * loss.item()

    def _report(self, budget: Budget) -> None:
        place = self.place
        left = place.seconds * max(0.0, 1 / budget.used(place.tokens, place.seconds) - 1)
        print(
            f"step {place.step:,}  epoch {place.epoch + 1}  loss {place.loss:.3f}"
            f"  lr {self.optimizers[0].param_groups[0]['lr']:.1e}  {place.tokens:,} tokens"
            f"  {place.tokens / place.seconds:,.0f} tokens/s  {left / 60:.1f} min left",
            flush=True,
        )

    @property
    def identity(self) -> dict[str, Any]:
        """What a saved state must share with this trainer for training to go on from it."""
        return {"corpus": self.corpus.fingerprint, "shape": asdict(self.shape), "plan": asdict(self.plan)}

    def save(self) -> None:
        """Write ``state.pt`` whole or not at all."""
        state = {
            "identity": self.identity,
            "place": asdict(self.place),
            "model": self.model.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
        }
        self.work.mkdir(parents=True, exist_ok=True)
        unfinished = self.work / "state.pt.part"
        torch.save(state, unfinished)
        unfinished.replace(self.work / "state.pt")

    def resume(self) -> None:
        """Take up the saved state.

        Raises:
            CheckpointError: there is none, or it was made from other texts or settings.
        """
        path = self.work / "state.pt"
        if not path.exists():
            raise CheckpointError(f"There is no saved state {path}", "Start without --resume.")
        state = torch.load(path, weights_only=True)
        different = [key for key, value in self.identity.items() if state["identity"][key] != value]
        if different:
            raise CheckpointError(
                f"{path} was made with another {' and '.join(different)}.", "Use those again, or another --work."
            )
        self.model.load_state_dict(state["model"])
        for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        self.place = Place(**state["place"])


# ----------------------------------------------------------------------------------------------- measurements


@torch.inference_mode()
def bits_per_byte(model: Qwen2ForCausalLM, tokenizer: Tokenizer, texts: Sequence[str], batch: int = 8) -> float:
    """Bits that the model needs for each UTF-8 byte of the texts, their ends included, each read by itself."""
    end, _, _ = special_ids(tokenizer)
    sequences = sorted(encode(tokenizer, [Document(text) for text in texts]), key=len)
    nats = 0.0
    for start in range(0, len(sequences), batch):
        rows = [[end, *sequence] for sequence in sequences[start : start + batch]]
        longest = max(map(len, rows))
        ids = torch.tensor([row + [end] * (longest - len(row)) for row in rows])
        labels = torch.tensor([row + [IGNORED] * (longest - len(row)) for row in rows])
        nats += next_token_loss(model, ids, labels).item()
    return nats / math.log(2) / sum(len(text.encode()) for text in texts)


@torch.inference_mode()
def continuations(model: Qwen2ForCausalLM, tokenizer: Tokenizer, prompts: Sequence[str], tokens: int) -> list[str]:
    """What the model writes after each prompt, greedily, until it ends the text or after ``tokens`` tokens."""
    end, _, stop = special_ids(tokenizer)
    encoded = [encoding.ids for encoding in tokenizer.encode_batch_fast(list(prompts))]
    longest = max(map(len, encoded))
    output = cast(Any, model).generate(  # its stub wants a type that Qwen2ForCausalLM lacks
        input_ids=torch.tensor([[end] * (longest - len(ids)) + ids for ids in encoded]),
        attention_mask=torch.tensor([[0] * (longest - len(ids)) + [1] * len(ids) for ids in encoded]),
        max_new_tokens=tokens,
        do_sample=False,
        eos_token_id=[stop, end],
        pad_token_id=end,
    )
    return [tokenizer.decode(row) for row in output[:, longest:].tolist()]


def words_of(text: str) -> list[str]:
    """The words of a text without the marks of its lists."""
    return [word for word in text.split() if not re.fullmatch(r"-|\d+\.", word)]


def longest_overlap(text: str, learned: str) -> int:
    """Words in the longest run of whole words of ``text`` that ``learned`` has too, in the form of `joined`."""
    words, longest, start = words_of(text), 0, 0
    for end in range(1, len(words) + 1):
        while start < end and f" {' '.join(words[start:end])} " not in learned:
            start += 1
        longest = max(longest, end - start)
    return longest


def joined(texts: Sequence[str]) -> str:
    """All texts with one blank between words, for `longest_overlap`; no run of words crosses a text's end."""
    return " " + " \n ".join(" ".join(words_of(text)) for text in texts) + " "


@dataclass(frozen=True)
class Measurements:
    """What the finished model does."""

    held_out_bits: float  # bits per byte of held-out recipes; nan where none was held out
    own_bits: float  # bits per byte of Koki's own recipes; nan where there are none
    overlaps: list[int]  # words, one for each greedy continuation
    sample: str  # the greedy continuation of one of Koki's own titles


def measure(
    model: Qwen2ForCausalLM, tokenizer: Tokenizer, corpus: Corpus, prompts: int = 40, tokens: int = 256
) -> Measurements:
    """Measure a trained model; the titles of ``prompts`` learned recipes are continued by ``tokens`` tokens."""

    def bits(recipes: list[Recipe]) -> float:
        texts = [chef_layout(recipe) for recipe in recipes]
        return bits_per_byte(model, tokenizer, texts) if texts else math.nan

    heading = load_phrasebook().headings.ingredients
    chosen = corpus.train[:: max(1, len(corpus.train) // prompts)][:prompts]
    titles = [recipe.title for recipe in chosen] + [SAMPLE_TITLE]
    starts = [f"{title}\n\n{heading}\n" for title in titles]
    written = continuations(model, tokenizer, starts, tokens)
    learned = joined([chef_layout(recipe) for recipe in corpus.train])
    overlaps = [longest_overlap(text, learned) for text in written[:-1]]
    return Measurements(bits(corpus.held_out), bits(corpus.own), overlaps, starts[-1] + written[-1])


# ----------------------------------------------------------------------------------------------------- export

CARD = """---
language: id
license: mit
library_name: transformers
pipeline_tag: text-generation
tags: [recipes, cooking, indonesian, qwen2]
---

# koki-mini

A very small base model of Indonesian recipes. It ships with Koki so that everything can be tried without a network
and without a GPU: it is what `koki demo` fine-tunes, and what the tests run on. It is not a chef by itself: it
continues recipe text and reads a page that it is given, and is no more than that until it is fine-tuned.

| | |
|---|---|
| Architecture | Qwen2: {layers} layers, width {hidden_size}, {heads} query heads, {kv_heads} key-value heads, tied |
| Parameters | {parameters:,}, stored as bfloat16 |
| Tokenizer | byte-level BPE, {vocab} entries, Qwen2's split into words; Qwen's special tokens have the last ids |
| Chat template | ChatML, as Qwen2.5 writes it, without a default system prompt and without tools |
| Context | trained on rows of {row_length} tokens; at most {positions} positions |

## Data

{source}

No recipe text of the files is shipped with Koki; what is shipped is this model's weights and its tokenizer.

- {train:,} recipes were learned and {held_out:,} held out, chosen by a hash of their text. The split knows nothing of
  near-duplicates, so a held-out recipe may resemble one that was learned.
- Each recipe is plain text in one of several layouts: as the chef writes it, as prose, after the names of some of its
  ingredients, or, whole or in part, after a sentence or two of cooking prose that name it. Half of them stand on pages,
  up to three, of which one is told again, often with other amounts than the recipe has: so the base learns to copy, and
  so it does from runs of words in no order that come twice. Menus name several dishes
  and what is in them; what is said to be at hand is followed by a dish that it makes and by what is missing.
- Koki's own {own} recipes and {tips} tips are learned too, each {repeats} times an epoch in every way, with an index
  from ingredients to their dishes: the base is meant to know them. None of them is held out, so how well it does on
  them says nothing about new recipes.
- Half of what is read are questions that are answered from the pages of a book, as Koki asks them: of the others'
  recipes, of Koki's own with other amounts and lines than they have, and of the tips. So the base has learned to read;
  the forms of questions that Koki keeps for its evaluation are not among them, and no question is answered from memory.
- Of the other texts a third stand between `<|im_start|>assistant` and `<|im_end|>` instead of bare, so that these
  tokens have embeddings worth having: LoRA does not train embeddings.

## Training

{trained_before}{tokens:,} tokens ({epochs:.1f} epochs) in {minutes:.0f} minutes on {threads} CPU threads, {arithmetic}.
Muon for the matrices of the blocks, AdamW (0.9, 0.99) for the rest; learning rate {learning_rate:g} after
{warm_up_steps} steps of warm-up, level, then falling to zero over the last {decay_share:.0%} of the budget; weight
decay {weight_decay:g}, gradients clipped at {clip_norm:g}, {batch:,} tokens a step, seed {seed}.

## Measured

| | |
|---|---|
| Training loss at the end | {loss:.3f} nats a token |
| Held-out recipes | {held_out_bits:.3f} bits per byte |
| Koki's own recipes (learned) | {own_bits:.3f} bits per byte |
| Longest verbatim overlap | {longest} words (median {median}) |

The overlap is the longest run of words that a greedy continuation of up to 256 tokens shares with any learned recipe
of the files above, over {prompts} continuations of titles of learned recipes.

## Limits

It knows recipes and nothing else, and those as home cooks post them: spelling, amounts and order of the steps can be
wrong, and a dish that it has not seen becomes one that it has. Check heat, times and food safety yourself. Other
languages and subjects do not work.

## Build it from other data

    python scripts/build_mini.py RECIPES.csv ... --output FOLDER --work WORK --tokens 8_000_000

Any CSV that Koki can train on will do. `--resume` goes on with an interrupted build; `--source` is the text under
"Data" above.

## Licence

MIT, like Koki.
"""


def save_model(trainer: Trainer, folder: Path) -> Qwen2ForCausalLM:
    """Write the model and its tokenizer; returns the model with the weights as stored, in float32."""
    folder.mkdir(parents=True, exist_ok=True)
    end, _, stop = special_ids(trainer.tokenizer)
    model = copy.deepcopy(trainer.model)
    model.bfloat16()
    model.config.eos_token_id, model.config.pad_token_id = stop, end
    model.generation_config = GenerationConfig(eos_token_id=[stop, end], pad_token_id=end, do_sample=False)
    model.save_pretrained(folder)
    save_tokenizer(trainer.tokenizer, folder, trainer.shape.positions)
    model.float().eval()
    return model


def trained_before(start: Path) -> str:
    """What the card of an earlier build says of its training, as a quotation; empty where it has no card."""
    card = start / "README.md"
    _, _, after = card.read_text("utf-8").partition("## Training\n") if card.exists() else ("", "", "")
    said = after.partition("\n## ")[0].strip()
    quotation = "\n".join(f"> {line}".rstrip() for line in said.splitlines())
    said_of = "It goes on from an earlier build, which had the texts of its day, and of which its card says:"
    return f"{said_of}\n\n{quotation}\n\nThen: " if said else ""


def write_card(trainer: Trainer, found: Measurements, source: str, folder: Path) -> None:
    """Write the model card, README.md."""
    (folder / "README.md").write_text(CARD.format(**card_values(trainer, found, source)), "utf-8")


def card_values(trainer: Trainer, found: Measurements, source: str) -> dict[str, Any]:
    """What the card says."""
    corpus, place, plan = trainer.corpus, trainer.place, trainer.plan
    rows = len(pack(encode(trainer.tokenizer, documents(corpus, plan.seed, 0)), plan.row_length))
    return {
        **asdict(trainer.shape),
        **asdict(plan),
        **asdict(place),
        **asdict(found),
        "source": source,
        "trained_before": trainer.trained_before,
        "parameters": trainer.model.num_parameters(),
        "vocab": f"{trainer.tokenizer.get_vocab_size():,}",
        "train": len(corpus.train),
        "held_out": len(corpus.held_out),
        "own": len(corpus.own),
        "repeats": OWN_REPEATS,
        "tips": len(corpus.tips),
        "epochs": place.tokens / (rows * plan.row_length),
        "minutes": place.seconds / 60,
        "threads": torch.get_num_threads(),
        "arithmetic": "bfloat16 arithmetic on float32 weights" if plan.bfloat16 else "float32",
        "batch": plan.rows * plan.row_length,
        "longest": max(found.overlaps),
        "median": statistics.median_low(found.overlaps),
        "prompts": len(found.overlaps),
    }


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    with as_file(files("koki.recipes") / "samples.csv") as shipped:
        own = [shipped]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("posts", nargs="+", type=Path, metavar="RECIPES.csv", help="recipes to learn, of which 5 %% are held out")
    add("--own", nargs="*", type=Path, default=own, help="recipes to know well (default: those that ship with Koki)")
    add("--output", type=Path, required=True, help="folder for model, tokenizer and card")
    add("--work", type=Path, required=True, help="folder for the state of training")
    add("--tokens", type=int, default=math.inf, help="end after so many tokens ...")
    add("--minutes", type=float, default=math.inf, help="... or minutes, whichever comes first")
    add("--resume", action="store_true", help="go on from the state in --work")
    add("--start", type=Path, help="an earlier build, whose weights and tokenizer are trained further")
    add("--learning-rate", type=float, default=Plan.learning_rate)
    add("--seed", type=int, default=Plan.seed)
    add("--bfloat16", action="store_true", help="calculate in bfloat16: faster where the processor knows it")
    add("--source", help="what the card says about the recipes (default: the names of the files)")
    parsed = parser.parse_args(arguments)
    if math.isinf(parsed.tokens) and math.isinf(parsed.minutes):
        parser.error("give a budget: --tokens or --minutes")
    return parsed


def main(arguments: Sequence[str] | None = None) -> None:
    """Build the model."""
    args = parse_arguments(arguments)
    plan = Plan(seed=args.seed, learning_rate=args.learning_rate, bfloat16=args.bfloat16)
    corpus = read_corpus(args.posts, args.own, plan.held_out_share)
    print(
        f"{len(corpus.train):,} recipes to learn, {len(corpus.held_out):,} held out,"
        f" {len(corpus.own)} of Koki's own, {len(corpus.tips)} tips"
    )
    trainer = Trainer(corpus, Shape(), plan, args.work, args.start)
    if args.resume:
        trainer.resume()
    trainer.train(Budget(args.tokens, args.minutes))
    model = save_model(trainer, args.output)
    found = measure(model, trainer.tokenizer, corpus)
    write_card(trainer, found, args.source or f"Recipes of {', '.join(p.name for p in args.posts)}.", args.output)
    print(
        f"held out {found.held_out_bits:.3f} bits per byte, own recipes {found.own_bits:.3f}; longest verbatim"
        f" overlap {max(found.overlaps)} words; one continuation:\n\n{found.sample}"
    )


if __name__ == "__main__":
    try:
        main()
    except KokiError as error:
        sys.exit(str(error))
