"""`koki config`: the configuration as YAML."""

from typing import Final

from koki.cli import options
from koki.terminal import harmless

EXAMPLES: Final = (
    "koki config",
    "koki config --preset fast --set training.learning_rate=1e-4 > warung.yaml",
    "koki config --config warung.yaml --set seed=7",
)


def show_config(
    config: options.Config = None,
    preset: options.Preset = None,
    assignments: options.Set = None,
) -> None:
    """Print the configuration as YAML, with a comment on where each default comes from."""
    from koki.config import load_config, to_yaml

    settings = load_config(config, preset=preset, settings=options.settings({}, assignments))
    print(harmless(to_yaml(settings)), end="")  # noqa: T201
