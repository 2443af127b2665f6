"""`koki serve` and `koki feedback export`, as they are typed."""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest
from commands import koki_here

from koki.pipeline import TrainResult
from koki.runs.names import FEEDBACK


@contextmanager
def served(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server in a process of its own, and what it printed before it listened."""
    command = [sys.executable, "-m", "koki", "serve", *arguments, "--port", "0"]
    environment = {name: it for name, it in os.environ.items() if name != "KOKI_API_KEY"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        try:
            assert process.stdout is not None
            printed = ""
            while "API:" not in printed and (line := process.stdout.readline()):
                printed += line
            yield process, printed
        finally:
            process.kill()


def asked(url: str, key: str = "") -> str:
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {key}"} if key else {})
    with urllib.request.urlopen(request, timeout=20) as answer:
        return str(answer.read().decode())


@pytest.mark.slow
def test_a_run_is_served_to_this_machine_until_it_is_told_to_stop(finished_run: TrainResult) -> None:
    with served(str(finished_run.folder)) as (process, printed):
        (url,) = re.findall(r"API: +(http://127\.0\.0\.1:\d+/v1)", printed)
        assert "key" not in printed
        assert '"id":"selesai"' in asked(f"{url}/models")
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0


@pytest.mark.slow
def test_in_a_network_a_key_is_made_and_shown_with_a_code_for_phones(finished_run: TrainResult) -> None:
    with served(str(finished_run.folder), "--host", "0.0.0.0") as (process, printed):
        page, key = re.findall(r"Page: (http://.+:\d+/)#key=(\S+)", printed)[0]
        assert f"API key: {key}" in printed
        assert len(printed.splitlines()) > 15  # the code
        port = re.findall(r":(\d+)/$", page)[0]
        assert "selesai" in asked(f"http://127.0.0.1:{port}/v1/models", key)
        with pytest.raises(urllib.error.HTTPError, match="401"):
            asked(f"http://127.0.0.1:{port}/v1/models")
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == -signal.SIGTERM


@pytest.mark.slow
def test_a_server_that_is_killed_in_the_middle_leaves_book_file_and_feedback_whole(
    finished_run: TrainResult, tmp_path: Path
) -> None:
    run = Path(shutil.copytree(finished_run.folder, tmp_path / "run", ignore=shutil.ignore_patterns("checkpoint-*")))
    said = {"model": "run", "question": "soto", "answer": "a" * 60_000, "verdict": "down"}
    with served(str(run), "--feedback") as (process, printed):
        (url,) = re.findall(r"API: +(http://\S+)/v1", printed)
        kept = 0
        threading.Timer(1, process.kill).start()
        with contextlib.suppress(httpx2.HTTPError), httpx2.Client(base_url=url) as client:
            while client.post("/api/feedback", json=said).status_code == 204:
                kept += 1
    assert kept
    lines = (run / FEEDBACK).read_bytes().splitlines()
    assert kept <= len(lines) <= kept + 1  # what was said to be kept is, and one more may be
    with served(str(run), "--feedback") as (_, printed):
        (url,) = re.findall(r"API: +(http://\S+)/v1", printed)
        with httpx2.Client(base_url=url, timeout=60) as client:
            assert client.post("/api/feedback", json=said).status_code == 204
            asked_again = {"model": "run", "messages": [{"role": "user", "content": "Resep soto ayam?"}], "book": True}
            answer = client.post("/v1/chat/completions", json=asked_again | {"max_tokens": 5}).json()
            assert answer["koki"]["recipes"]
    ended = koki_here("feedback", "export", str(run), "--json", cwd=tmp_path)
    made = json.loads(ended.stdout)
    assert made["without"] >= kept + 1
    assert made["damaged"] <= 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--api-key", ""], "no API key"),
        (["--allow-origin", "*"], "no site"),
        (["--host", "192.0.2.1"], "cannot listen on 192.0.2.1"),
    ],
)
def test_what_cannot_be_served_so_is_said_before_anything_is_loaded(
    finished_run: TrainResult, arguments: list[str], says: str
) -> None:
    ended = koki_here("serve", str(finished_run.folder), "--port", "0", *arguments)
    assert ended.returncode == 1
    assert says in ended.stderr


def test_two_runs_of_one_name_are_told_apart_before_anything_is_loaded(finished_run: TrainResult) -> None:
    ended = koki_here("serve", str(finished_run.folder), str(finished_run.folder))
    assert "Two of the runs are called selesai" in ended.stderr


def test_feedback_is_exported(finished_run: TrainResult, tmp_path: Path) -> None:
    run = Path(
        shutil.copytree(finished_run.folder, tmp_path / "run", ignore=shutil.ignore_patterns("checkpoint-*", "gguf"))
    )
    said = '{"model": "a", "question": "soto", "answer": "", "verdict": "down", "correction": {"title": "Soto", "ingredients": ["1 ekor ayam"], "steps": ["Rebus."]}}\n'  # noqa: E501
    (run / FEEDBACK).write_text(said + "{")
    ended = koki_here("feedback", "export", str(run), cwd=tmp_path)
    assert "Corrected recipes in feedback-recipes.jsonl: 1" in ended.stdout
    assert "Lines that are no feedback: 1" in ended.stdout
    assert (tmp_path / "feedback-questions.tsv").read_text().splitlines()[1].split("\t")[2] == "soto"
