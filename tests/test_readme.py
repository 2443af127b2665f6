"""The README tells the truth about settings and commands."""

import re
from pathlib import Path

import yaml

from koki.cli import app
from koki.config import RunConfig, flatten, load_config

README = (Path(__file__).parents[1] / "README.md").read_text("utf-8")


def test_the_table_of_settings_has_every_setting_with_its_default() -> None:
    rows = dict(re.findall(r"^\| `([a-z_.]+)` \| `(.+?)` \|", README, flags=re.MULTILINE))
    assert {name: yaml.safe_load(value) for name, value in rows.items()} == {
        name: yaml.safe_load(yaml.safe_dump(value)) for name, value in flatten(RunConfig()).items()
    }


def test_every_verb_is_explained() -> None:
    for command in app.registered_commands:
        name = command.name or getattr(command.callback, "__name__", "")
        assert f"| `koki {name}" in README


def test_every_setting_the_readme_sets_exists() -> None:
    for text in re.findall(r"`(?:--set )?([a-z]+\.[a-z_]+=\w+)`", README):
        load_config(assignments=[text])
