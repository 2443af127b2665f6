"""The proof of an exported file: what is as the run says passes, and of what is not the place is named."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
import torch

from koki.errors import ModelError, ProofError
from koki.export.proof import NOT_INSTALLED, proof_table, prove
from koki.gguf.of_run import gguf_of_run
from koki.pipeline import TrainResult
from koki.runs.finished import FinishedRun, read_run

pytest.importorskip("xllamacpp", reason="llama.cpp's wheel (xllamacpp) is not installed")


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def run(finished_run: TrainResult) -> FinishedRun:
    return read_run(finished_run.folder)


@pytest.fixture(scope="module")
def f32(run: FinishedRun, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return gguf_of_run(run, "f32", folder=tmp_path_factory.mktemp("gguf"))


@pytest.fixture
def copy(f32: Path, tmp_path: Path) -> Path:
    """The file, to be changed."""
    return Path(shutil.copy(f32, tmp_path / "warung-f32.gguf"))


@pytest.fixture(scope="module")
def proof(run: FinishedRun, f32: Path) -> dict[str, Any]:
    """Of the file in float32."""
    return prove(run, f32, "f32")


@pytest.mark.slow
def test_a_file_in_float32_gives_its_runs_answers_to_the_letter(proof: dict[str, Any]) -> None:
    answers = proof["answers"]
    assert (answers["compared"], answers["equal"] + len(answers["near_ties"])) == (20, 20)


@pytest.mark.slow
def test_a_file_in_float32_finds_true_answers_as_likely_as_its_run(proof: dict[str, Any]) -> None:
    loss = proof["loss"]
    assert (loss["answers"], loss["tokens"] > 1000) == (50, True)
    assert loss["file"] == pytest.approx(loss["adapter"], abs=1e-4)


@pytest.mark.slow
def test_prompts_from_the_files_own_template_are_those_of_the_run(proof: dict[str, Any]) -> None:
    assert proof["template"] == {"compared": 8, "equal": 8, "prompts": 5}


@pytest.mark.slow
def test_texts_with_accents_apart_are_named_in_which_llama_cpp_makes_other_tokens(proof: dict[str, Any]) -> None:
    tokens = proof["tokens"]
    assert all("\u0300" in text or "\u212b" in text for text in tokens["not_composed"])
    assert tokens["equal"] == tokens["compared"] - 2 * len(tokens["not_composed"]) == 36


@pytest.mark.slow
def test_a_proof_is_a_table_in_the_card(proof: dict[str, Any]) -> None:
    table = proof_table(json.loads(json.dumps(proof)))
    assert "| Chat template, texts of conversations | 8 of 8 equal |" in table
    assert "| Greedy answers | 20 of 20 equal" in table
    assert "36 of 40 equal; llama.cpp does not put accents together" in table
    assert f"{proof['loss']['file']:.4f}; the run's own" in table


def test_the_card_says_that_a_file_was_not_proven() -> None:
    assert proof_table({"not_proven": NOT_INSTALLED}) == f"This file was not proven: {NOT_INSTALLED}.\n"


@pytest.mark.slow
def test_of_a_rounded_file_it_is_counted_what_rounding_costs(run: FinishedRun, tmp_path: Path) -> None:
    proof = prove(run, gguf_of_run(run, "q4_0", folder=tmp_path), "q4_0")
    assert 0 < proof["answers"]["equal"] < proof["answers"]["compared"] == 20
    assert proof["answers"]["near_ties"] == ()
    assert proof["loss"]["file"] > proof["loss"]["adapter"] + 0.001


@pytest.mark.slow
def test_a_damaged_tensor_fails_and_question_and_place_are_named(run: FinishedRun, copy: Path) -> None:
    tensor = next(t for t in gguf.GGUFReader(copy, "r+").tensors if t.name == "blk.3.attn_output.weight")
    tensor.data[:] = np.roll(tensor.data, 1, axis=0)
    with pytest.raises(ProofError, match=r"asked '.*', it says '.*' at place \d+ .* the run '.*'; their logits differ"):
        prove(run, copy, "f32")


def test_a_template_without_the_system_prompt_fails_and_its_text_is_shown(run: FinishedRun, copy: Path) -> None:
    system = run.card["system_prompt"]
    change_field(copy, "tokenizer.chat_template", system.encode(), b"x" * len(system.encode()))
    with pytest.raises(ProofError, match=r"chat template makes another text .*\n.*xxx.*the run .*Kamu"):
        prove(run, copy, "f32")


def test_merges_in_another_order_fail_and_the_text_is_shown(run: FinishedRun, copy: Path) -> None:
    merges = gguf.GGUFReader(copy, "r+").fields["tokenizer.ggml.merges"]
    places = {len(merges.parts[place]): place for place in merges.data[:200]}
    early = {len(merges.parts[place]): place for place in reversed(merges.data[:200])}
    for length, last in places.items():  # of each length, the first changes places with the last
        one, other = merges.parts[early[length]], merges.parts[last]
        one[:], other[:] = other.copy(), one.copy()
    with pytest.raises(ProofError, match="has other tokens"):
        prove(run, copy, "f32")


def test_a_text_that_is_no_gguf_file_is_an_error(run: FinishedRun, tmp_path: Path) -> None:
    file = tmp_path / "a.gguf"
    file.write_text("bukan model", "utf-8")
    with pytest.raises(ModelError, match=re.escape(f"llama.cpp cannot open {file}")):
        prove(run, file, "f32")


def test_without_llama_cpp_nothing_is_proven_and_that_is_said(
    run: FinishedRun, f32: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    assert prove(run, f32, "f32") == {"not_proven": NOT_INSTALLED}


def change_field(file: Path, name: str, before: bytes, after: bytes) -> None:
    """Write something else of the same length into a text of the file."""
    field: Any = gguf.GGUFReader(file, "r+").fields[name]
    part = field.parts[field.data[0]]
    changed = part.tobytes().replace(before, after)
    assert len(changed) == len(part)
    assert changed != part.tobytes()
    part[:] = np.frombuffer(changed, dtype=np.uint8)
