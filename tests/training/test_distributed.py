"""Two processes over gloo: the same losses as one, each other's checkpoints, one voice, one end."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from helpers import ORAK, SHORT, SOTO, TELUR, write_csv
from rich.console import Console
from safetensors.torch import load_file
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from koki import pipeline
from koki.config import RunConfig, load_config, read_assignments
from koki.data import recipes as recipes_module
from koki.errors import KokiError
from koki.inference.chef import Chef
from koki.pipeline import train
from koki.runs.checkpoints import find_newest
from koki.training import processes, validation

pytestmark = pytest.mark.slow  # each starts processes of its own, or reads what they did

# Nine conversations an epoch in steps of four: in the third step one of the processes has nothing to do.
FOUR_STEPS = (
    *SHORT,
    "data.variations=3",
    "lora.lora_dropout=0",  # what dropout drops depends on the process, losses equal to those of one process do not
    "training.max_steps=4",
    "training.tokens_per_micro_batch=300",
    "training.gradient_checkpointing=auto",
    "training.save_steps=2",
    "training.logging_steps=1",
)
# Nasi Goreng's and no other
HELD_OUT = "data.validation_fraction=0.25"
NASI = {
    "Title": "Nasi Goreng",
    "Ingredients": "1 piring nasi--2 butir telur--3 siung bawang putih, cincang--2 sdm kecap manis",
    "Steps": "Tumis bawang putih sampai harum.--Masukkan telur, nasi, dan kecap, aduk rata.",
}
EVALUATED = (HELD_OUT, "evaluation.every_steps=2")
# The runs of two processes and their settings. The last holds nothing out: it only asks the model.
IN_TWO = {
    "two": EVALUATED,
    "one-then-two": (HELD_OUT,),
    "two-with-half-a-base-each": EVALUATED,
    "two-ask-half-a-base-each": ("evaluation.every_steps=1", "training.max_steps=1"),
}

# Both processes run this: a run, the second half of a run of one process, two runs in which each holds half of the
# base, and a failure in one of them.
IN_EACH_PROCESS = """
import json, os, sys
from pathlib import Path
from rich.console import Console
from koki import pipeline
from koki.cli import train
from koki.cli.app import app
from koki.data import recipes
from koki.errors import DataError, KokiError
from koki.tokens.batches import StepCollator
from koki.training import plan, resolve, validation
from koki.training.processes import join_processes

folder, number = Path(sys.argv[1]), int(os.environ["RANK"])
touched = []

def audit(event, arguments):
    if event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
        touched.append(str(arguments[0]))
    if event in ("os.mkdir", "os.rename", "os.remove", "os.rmdir"):
        touched.append(str(arguments[0]))

sys.addaudithook(audit)
recipes.FEWEST_TO_SPLIT, validation.MOST_CONVERSATIONS = 1, 6
if number == 1:
    plan.measure = None  # the first process alone says how long it will take
    resolve.free_memory = lambda device: 0.0
for run in sys.argv[2:]:
    halves = run.endswith("half-a-base-each")
    os.environ["ACCELERATE_USE_FSDP"] = str(halves)
    # the first run finds an empty cache, the second finds its tokens there, the others have no place to keep any
    os.environ["KOKI_CACHE"] = os.devnull if halves else str(folder / "cache")
    # the second process may have to measure in smaller rows, its memory being short, and its answers may end earlier
    validation.StepCollator = lambda most: StepCollator(most if halves or number == 0 else most // 4)
    pipeline.SAMPLED_TOKENS = 6 if number == 0 else 3
    with (folder / f"{run}-said-{number}").open("w") as said:
        train.out = Console(file=said, width=200)
        app(["train", "--config", str(folder / f"{run}.yaml")], standalone_mode=False)
ours = [path for path in touched if path.startswith(str(folder)) and "-said-" not in path]
(folder / f"touched-{number}.json").write_text(json.dumps(ours))
processes = join_processes()
try:
    with processes.failing_together():
        if number == 1:
            raise DataError("The pantry is empty.", "Go to the market.")
except KokiError as error:
    (folder / "failed.txt").write_text(str(error))
"""


@pytest.fixture(autouse=True, scope="module")
def without_gpu() -> Iterator[None]:
    """Two processes would need two GPUs, and what one of them trains in float16 is not comparable to 1e-5."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CUDA_VISIBLE_DEVICES", "")
        patch.setattr(torch.cuda, "is_available", lambda: False)
        yield


def launch(*command: str) -> subprocess.Popen[str]:
    """Start a command in two processes of one thread each, on a port of their own; ended where it hangs."""
    launcher = (sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--master-addr", "localhost")
    ports = ("--rdzv-backend", "c10d", "--rdzv-endpoint", "localhost:0")
    process = subprocess.Popen(
        [*launcher, *ports, *command],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    patience = threading.Timer(600, process.terminate)
    patience.daemon = True
    patience.start()
    return process


def options(recipe_csv: Path, output: Path, settings: Sequence[str]) -> list[str]:
    """Of `koki train`."""
    sets = [option for setting in settings for option in ("--set", setting)]
    return ["train", "--model", "mini", "--data", str(recipe_csv), "--output", str(output), *sets]


def log_of(run: Path, *names: str) -> list[tuple[float, ...]]:
    """Step and these of every entry that has them."""
    log = json.loads((run / "training_metadata.json").read_text("utf-8"))["training"]["log"]
    return [(entry["step"], *(entry[name] for name in names)) for entry in log if names[0] in entry]


def answers_of(run: Path, number: int) -> dict[int, str]:
    """Step -> the question of that number and its answer."""
    points = EventAccumulator(str(run / "tensorboard")).Reload().Tensors(f"answers/{number}/text_summary")
    return {point.step: point.tensor_proto.string_val[0].decode() for point in points}


@dataclass(frozen=True)
class Runs:
    """Runs of four steps in a folder, by what trained them."""

    folder: Path

    def __getitem__(self, name: str) -> Path:
        return self.folder / name

    def said(self, name: str, process: int) -> str:
        return (self.folder / f"{name}-said-{process}").read_text("utf-8")


@pytest.fixture(scope="module")
def runs(small_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Runs:
    folder = tmp_path_factory.mktemp("processes")
    recipes = write_csv(folder / "resep.csv", [SOTO, ORAK, TELUR, NASI])

    def config(name: str, accumulated: int, *settings: str) -> RunConfig:
        flags = {"model.name": str(small_base), "data.files": [str(recipes)], "output": str(folder / name)}
        accumulation = f"training.gradient_accumulation_steps={accumulated}"
        return load_config(settings=flags | read_assignments([*FOUR_STEPS, accumulation, *settings]))

    def first_half(of: str, name: str) -> None:
        shutil.copytree(folder / of / "checkpoint-2", folder / name / "checkpoint-2")
        shutil.copy(folder / of / "config.yaml", folder / name)

    quiet = Console(quiet=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recipes_module, "FEWEST_TO_SPLIT", 1)
        patch.setattr(validation, "MOST_CONVERSATIONS", 6)
        patch.setattr(pipeline, "SAMPLED_TOKENS", 6)
        train(config("one", 4, *EVALUATED), quiet)
        first_half("one", "one-then-two")
        for name, settings in IN_TWO.items():
            (folder / f"{name}.yaml").write_text(json.dumps(config(name, 2, *settings).model_dump(mode="json")))
        (folder / "each.py").write_text(IN_EACH_PROCESS)
        printed, _ = launch(str(folder / "each.py"), str(folder), *IN_TWO).communicate()
        assert (folder / "failed.txt").exists(), printed
        first_half("two", "two-then-one")
        train(config("two-then-one", 4, HELD_OUT), quiet)
    return Runs(folder)


@pytest.mark.parametrize("name", ["two", "one-then-two", "two-then-one", "two-with-half-a-base-each"])
def test_losses_and_adapter_are_those_of_one_process(runs: Runs, name: str) -> None:
    ours, theirs = (log_of(runs[which], "loss", "learning_rate") for which in (name, "one"))
    assert len(ours) == 4
    assert ours == [pytest.approx(entry, abs=1e-5) for entry in theirs]
    adapter = load_file(runs[name] / "adapter_model.safetensors")
    for weight_name, weight in load_file(runs["one"] / "adapter_model.safetensors").items():
        torch.testing.assert_close(adapter[weight_name], weight, rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", ["two", "two-with-half-a-base-each"])
def test_held_out_losses_and_answers_are_those_of_one_process(runs: Runs, name: str) -> None:
    ours, theirs = (log_of(runs[which], "eval_loss", "eval_bits_per_byte") for which in (name, "one"))
    assert [step for step, *_ in ours] == [0, 2, 4]
    assert ours == [pytest.approx(entry, abs=1e-5) for entry in theirs]
    for number in range(1, 4):
        assert answers_of(runs[name], number) == answers_of(runs["one"], number)


def test_a_model_of_which_each_holds_half_answers_as_the_finished_one_does_where_nothing_is_held_out_too(
    runs: Runs,
) -> None:
    run = runs["two-ask-half-a-base-each"]
    assert "cannot be asked" not in runs.said(run.name, 0)
    answers = answers_of(run, 1)
    assert list(answers) == [0, 1]
    question, answer = (part.strip() for part in answers[1].split("---"))
    assert answer == Chef.load(run).ask(question, max_new_tokens=6, book=False).answer


def test_a_checkpoint_of_one_process_is_gone_on_from_by_two(runs: Runs) -> None:
    assert "checkpoint-2, the newest whole checkpoint" in runs.said("one-then-two", 0)


def test_where_memory_is_short_for_one_process_all_of_them_keep_fewer_activations(runs: Runs) -> None:
    assert re.search(r"checkpointing\s+on", runs.said("two", 0))


def test_only_the_first_process_prints(runs: Runs) -> None:
    assert "step 4/4" in runs.said("two", 0)
    assert [runs.said(name, 1) for name in IN_TWO] == ["", "", "", ""]


def test_only_the_first_process_writes(runs: Runs) -> None:
    touched = [json.loads((runs.folder / f"touched-{process}.json").read_text()) for process in (0, 1)]
    assert any(path.endswith("training_metadata.json.new") for path in touched[0])
    assert touched[1] == []


def test_the_first_process_of_a_machine_makes_the_tokens_and_the_others_find_them(runs: Runs) -> None:
    made = [
        [path for path in json.loads((runs.folder / f"touched-{process}.json").read_text()) if "/cache/" in path]
        for process in (0, 1)
    ]
    assert any(path.endswith(".00000.safetensors.new") for path in made[0])
    assert made[1] == []


def test_where_the_tokens_cannot_be_kept_each_process_makes_its_own(runs: Runs) -> None:
    assert "the tokens are not kept for the next time" in runs.said("two-with-half-a-base-each", 0)
    assert len(log_of(runs["two-with-half-a-base-each"], "loss")) == 4


def test_a_failure_to_make_the_tokens_ends_all_processes_with_one_message(recipe_csv: Path, tmp_path: Path) -> None:
    launched = launch("-m", "koki", *options(recipe_csv, tmp_path / "run", (*SHORT, "tokens.max_length=16")))
    printed, _ = launched.communicate()
    assert launched.returncode != 0
    assert printed.count("Not one conversation fits") == 1, printed


def test_what_fails_in_another_process_is_the_error_of_the_first(runs: Runs) -> None:
    error = (runs.folder / "failed.txt").read_text()
    assert error == "Process 1 of 2 (the first is 0): The pantry is empty.\nGo to the market."


def test_an_error_in_the_data_is_printed_once(tmp_path: Path) -> None:
    data = tmp_path / "resep.csv"
    data.write_text("Title,Loves\nSoto,3\n", "utf-8")
    launched = launch("-m", "koki", *options(data, tmp_path / "run", SHORT))
    printed, _ = launched.communicate()
    assert launched.returncode != 0
    assert printed.count("Error") == 1 + printed.count("ChildFailedError")  # the launcher's own words
    assert printed.count("resep.csv") == 1, printed
    assert not (tmp_path / "run").exists()


def workers_of(launcher: int) -> list[int]:
    """Process numbers of what a launcher has started, by rank."""
    children = subprocess.run(["ps", "-o", "pid=", "--ppid", str(launcher)], capture_output=True, text=True, check=True)
    return sorted(int(number) for number in children.stdout.split())


def test_a_signal_to_one_process_stops_all_with_a_checkpoint(recipe_csv: Path, tmp_path: Path) -> None:
    settings = (*SHORT, "training.max_steps=100000", "training.logging_steps=1", "data.variations=all")
    launched = launch("-m", "koki", *options(recipe_csv, tmp_path / "run", settings))
    assert launched.stdout is not None
    assert any(line.startswith("step 2/") for line in launched.stdout)
    os.kill(workers_of(launched.pid)[1], signal.SIGTERM)
    last_words, _ = launched.communicate()
    newest = find_newest(tmp_path / "run").newest
    assert newest is not None, last_words
    assert f"Stopped at step {newest.step} with a checkpoint" in last_words
    assert "torchrun calls this a failure and ends with 1" in last_words
    assert not re.search(r"^Error", last_words, flags=re.MULTILINE)
    assert launched.returncode == 1


@pytest.mark.parametrize(("gpus", "works"), [(1, False), (2, True)])
def test_more_processes_than_gpus_are_an_error_that_says_so(
    gpus: int, works: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    with nullcontext() if works else pytest.raises(KokiError, match=r"2 processes .* has 1 GPU"):
        processes._require_a_gpu_for_each(2)
