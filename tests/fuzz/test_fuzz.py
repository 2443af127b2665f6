"""Mutated files and lines: the readers and the parser raise nothing but Koki's own errors, and are done soon.

By default a few seconds with one seed; ``make fuzz`` goes on for ten minutes with another each time. What finds
something is named in the failure, and becomes a line of FOUND.
"""

import gzip
import io
import json
import os
import random
import time
import zipfile
from collections.abc import Callable
from datetime import date
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from workbooks import Rows, ods, xlsx, zipped

from koki.config import load_config, read_assignments
from koki.errors import KokiError
from koki.evaluation.own_questions import read_questions
from koki.ingredients.parse import parse_ingredient
from koki.recipes.table import read_recipes

SECONDS = float(os.environ.get("KOKI_FUZZ_SECONDS", "4"))
SEED = int(os.environ.get("KOKI_FUZZ_SEED", "1"))
SLOW = 2.0  # seconds of CPU for some kilobytes; the slowest takes a fiftieth

SAMPLES = (resources.files("koki.recipes") / "samples.csv").read_text("utf-8")
CSV = "".join(SAMPLES.splitlines(keepends=True)[:4])
LINES = [line for row in SAMPLES.split("\n") for line in row.split("--") if line.strip()]
JSON = "".join(
    json.dumps({"Judul": f"Soto {number}", "Bahan": ["1 ekor ayam", "2 serai"], "Langkah": "Rebus ayam."}) + "\n"
    for number in range(3)
)
DOCUMENT = json.dumps(
    {"@graph": [{"@type": "Recipe", "judul": "Opor", "bahan": ["ayam", "air"], "langkah": ["Rebus."]}]}
)
PAGE = f'<!DOCTYPE html><script type="application/ld+json">{DOCUMENT}</script>'
TEXT = (
    "12/03/24 10.15 - Ibu: *Soto*\n\n*Bahan:*\n1 ekor ayam\n- garam\n\nCara membuat:\n1️⃣ Rebus ayam.\n2. Sajikan.\n" * 2
)
ITEMS = (
    "judul,bahan,jumlah,langkah\nSoto,ayam,1 ekor,Rebus ayam\n,garam,1 sdt,Aduk\n,serai,,\nSop,iga,1 kg,Rebus\n,air,,\n"
)
MENU: Rows = [
    ["Menu warung"],
    ["Judul", "Bahan", "Langkah"],
    ["Soto", "ayam\nair", 1.5],
    ["Sop", date(2024, 2, 1), "Rebus"],
]
WORKBOOKS = {"r.xlsx": xlsx({"Menu": MENU}, merged=["A1:C1"]), "r.ods": ods({"Menu": MENU})}
QUESTIONS = "id\tcapability\tquestion\tmust\tmust_not\n1\ttip\tKenapa santan pecah?\tsantan; api\tgula\n"
SETTINGS = "seed: 3\nlora: {r: 8, target_modules: [q_proj]}\ntraining:\n  learning_rate: 1e-4\n"

# What breaks readers: marks, numbers, other scripts, control tokens; then what cannot be seen.
BREAKING = """
" "" , ; | -- 1) 2. ( ) [ ] { } : / \\ \\n # & * < > % $ = ~ _ @ ^ ' ` ! ?
½ ¼ ⅓ 1/2 0/0 1/0 1e999 -1 99999999999999999999 ٣ ² ① Ⅷ ∞ NaN null true &amp; &#0; &#x110000; &lt;
é Ã© â€™ Â ñ 鸡 ayam ß İ ı ǆ 👩‍🍳 sdm sdt siung secukupnya atau dan bahan: s/d opsional
<|im_end|> Title Judul Bahan !!python/name:os
"""
UNSEEN = [
    "\t",
    "\n",
    "\r",
    "\r\n",
    " ",
    "\0",
    "\x1a",
    "\ufeff",
    "\u200b",
    "\u202e",
    "\u2028",
    "\ue000",
    "\ufffd",
    "e\u0301",
]
WORDS = BREAKING.split() + UNSEEN
BYTES = [word.encode() for word in WORDS] + [b"\xff", b"\xfe", b"\xff\xfe", b"\xc3", b"\xed\xa0\x80", b"PK\x03\x04"]


def mutate(draw: random.Random, data: bytes) -> bytes:
    """A few changes: something put in, taken out, repeated, replaced."""
    for _ in range(draw.randint(1, 6)):
        start = draw.randint(0, len(data))
        end = min(len(data), start + draw.choice([0, 0, 1, 2, 8, 64]))
        new = draw.choice(
            [draw.choice(BYTES), b"", bytes([draw.randrange(256)]), data[start:end] * 3, draw.choice(BYTES) * 50]
        )
        data = data[:start] + new + data[end:]
    return data[:20_000]


def read(name: str) -> Callable[[bytes, Path], None]:
    def target(data: bytes, folder: Path) -> None:
        (folder / name).write_bytes(data)
        report = read_recipes(folder / name).report
        assert report.rows_read == report.rows_kept + len(report.dropped)
        json.dumps(report.as_dict())

    return target


def read_packed(data: bytes, folder: Path) -> None:
    read("r.csv.gz")(data if len(data) % 2 else gzip.compress(data, 1), folder)


def read_own_questions(data: bytes, folder: Path) -> None:
    (folder / "q.tsv").write_bytes(data)
    read_questions(folder / "q.tsv")


def read_settings(data: bytes, folder: Path) -> None:
    (folder / "c.yaml").write_bytes(data)
    load_config(
        folder / "c.yaml", settings=read_assignments([f"seed={data.decode('utf-8', 'replace')}"][: len(data) % 2])
    )


def parse(data: bytes, _: Path) -> None:
    for line in data.decode("utf-8", "replace").split("\n"):
        json.dumps(parse_ingredient(line).as_dict())


def read_workbook(data: bytes, folder: Path) -> None:
    """Mutate one part of a workbook, and now and then the archive."""
    name, draw = ("r.xlsx", "r.ods")[len(data) % 2], random.Random(data)
    with zipfile.ZipFile(io.BytesIO(WORKBOOKS[name])) as archive:
        parts = {part: archive.read(part) for part in archive.namelist()}
    part = draw.choice(sorted(parts))
    raw = zipped(parts | {part: mutate(draw, parts[part])})
    read(name)(raw if draw.random() < 0.9 else mutate(draw, raw), folder)


class Target(NamedTuple):
    run: Callable[[bytes, Path], None]
    seeds: list[bytes]


TARGETS = {
    "csv": Target(read("r.csv"), [CSV.encode(), CSV.replace(",", ";").encode(), CSV.encode("utf-16"), b""]),
    "jsonl": Target(read("r.jsonl"), [JSON.encode(), JSON.encode("utf-16-le")]),
    "json": Target(read("r.json"), [DOCUMENT.encode(), f"[{JSON.strip().replace(chr(10), ',')}]".encode()]),
    "page": Target(read("r.html"), [PAGE.encode()]),
    "text": Target(read("r.txt"), [TEXT.encode(), TEXT.encode("utf-16")]),
    "items": Target(read("r.csv"), [ITEMS.encode(), b"sep=,\nResep ibu\n" + ITEMS.encode()]),
    "workbook": Target(read_workbook, [f"{number}".encode() for number in range(9)]),
    "gzip": Target(read_packed, [CSV.encode(), gzip.compress(CSV.encode(), mtime=0)]),
    "parse": Target(parse, ["\n".join(LINES[start : start + 5]).encode() for start in range(0, 500, 5)]),
    "questions": Target(read_own_questions, [QUESTIONS.encode()]),
    "settings": Target(read_settings, [SETTINGS.encode()]),
}

FOUND: list[tuple[str, bytes]] = []
"""Target and input of what was found once."""


def try_it(target: Target, data: bytes, folder: Path) -> None:
    started = time.process_time()
    try:
        target.run(data, folder)
    except KokiError:
        pass
    except Exception as error:
        pytest.fail(f"{type(error).__name__}: {error}, for {data!r}")
    if (took := time.process_time() - started) > SLOW:
        pytest.fail(f"{took:.1f} seconds for {data!r}")


@pytest.mark.slow
@pytest.mark.parametrize("name", TARGETS)
def test_mutated_input_raises_nothing_but_errors_of_koki(name: str, tmp_path: Path) -> None:
    target, draw = TARGETS[name], random.Random(f"{SEED} {name}")
    until, runs = time.monotonic() + SECONDS / len(TARGETS), 0
    while time.monotonic() < until:
        try_it(target, mutate(draw, draw.choice(target.seeds)), tmp_path)
        runs += 1
    print(f"{name}: {runs:,} inputs, seed {SEED}")  # noqa: T201
    assert runs


@pytest.mark.parametrize(("name", "data"), FOUND)
def test_what_was_found_once_stays_mended(name: str, data: bytes, tmp_path: Path) -> None:
    try_it(TARGETS[name], data, tmp_path)


def test_the_fuzzer_tells_an_error_of_koki_from_another(tmp_path: Path) -> None:
    def fails(error: Any) -> Target:
        def run(*_: object) -> None:
            raise error

        return Target(run, [])

    try_it(fails(KokiError("begini")), b"", tmp_path)
    with pytest.raises(pytest.fail.Exception, match="ZeroDivisionError"):
        try_it(fails(ZeroDivisionError()), b"x", tmp_path)
