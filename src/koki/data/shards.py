"""Training data made by several machines: each makes some of its parts in a folder, and one joins them.

Nothing is shared but the folder, which may as well be copied together from several disks: which parts a shard makes,
and what is in them, follows from the recipe files, the settings and the shard's number alone.
"""

import json
import shutil
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

from rich.console import Console

from koki import files
from koki.config import RunConfig
from koki.data.build import load_template, prepare
from koki.data.cache import LONGEST_FACTS
from koki.data.parts import divided, make_parts
from koki.data.recipes import RecipesOfRun
from koki.data.token_cache import TokenCache, TrainingData
from koki.errors import ConfigError, DataError
from koki.language import _
from koki.libraries import quiet_libraries
from koki.model.source import find_base
from koki.recipes.report import some

_FACTS: Final = "facts.json"


class Shard(NamedTuple):
    """One of several that make the parts of training data in turn; the number counts from 1."""

    number: int
    of: int

    @classmethod
    def read(cls, text: str) -> Self:
        """The shard that is written so: ``3/8``.

        Raises:
            ConfigError: it is written otherwise.
        """
        number, slash, of = text.partition("/")
        if not (slash and number.isdecimal() and of.isdecimal() and 1 <= int(number) <= int(of)):
            raise ConfigError(
                _("{text!r} is no shard.", text=text), _("Give its number and how many there are: --shard 1/8.")
            )
        return cls(int(number), int(of))


def build_shard(config: RunConfig, shard: Shard, folder: Path, console: Console) -> int:
    """Make a shard's parts of what a run with this configuration trains on.

    Args:
        folder: for the parts of all shards.

    Returns:
        The number of its parts.

    Raises:
        KokiError: as `train`.
        OSError: the folder cannot be written.
    """
    quiet_libraries()
    tokenizer, template = load_template(find_base(config.model).folder)
    recipes, cache = RecipesOfRun(config), TokenCache(template, config)
    reading = folder / f"{cache.name(recipes.digests)}-reading-{shard.number}"
    reading.mkdir(parents=True, exist_ok=True)
    name, facts, collection = prepare(recipes, cache, reading, console)
    parts = list(divided(collection.names))
    own = parts[shard.number - 1 :: shard.of]
    place = folder / name
    make_parts(own, place, collection, template, len(tokenizer), config)
    files.write_json(place / _FACTS, {**facts, "parts": len(parts)})
    files.discard(reading)
    return len(own)


def merge_shards(config: RunConfig, folder: Path) -> TrainingData:
    """Join the parts that all shards have made, into the cache: a run with this configuration finds them there.

    Raises:
        DataError: no shard has made any, or some are missing.
        ConfigError: there is no cache that can be written.
    """
    quiet_libraries()
    _tokenizer, template = load_template(find_base(config.model).folder)
    cache, digests = TokenCache(template, config), RecipesOfRun(config).digests
    name = cache.name(digests)
    place = folder / name
    facts = _facts_in(place)
    present = {path.name for path in place.glob("*.safetensors")}
    missing = [number for number in range(facts["parts"]) if f"{number:05}.safetensors" not in present]
    if missing:
        raise DataError(
            _(
                "{place} lacks {count:,} of {parts:,} parts: {numbers}.",
                place=place,
                count=len(missing),
                parts=facts["parts"],
                numbers=some(missing, 10),
            ),
            _("Build their shards first: of n shards, number 1 + (part modulo n) makes a part."),
        )
    with cache.making(digests) as making:
        parts = making / name
        shutil.copytree(place, parts, dirs_exist_ok=True)
        kept = cache.keep(name, parts, facts)
        files.discard(making)
    if isinstance(kept, str):
        raise ConfigError(
            _("The parts cannot be kept in the cache: {problem}.", problem=kept), _("KOKI_CACHE names another folder.")
        )
    return cache.open(kept, facts)


def _facts_in(place: Path) -> dict[str, Any]:
    try:
        facts: dict[str, Any] = json.loads(files.read_bytes(place / _FACTS, LONGEST_FACTS))
    except (OSError, ValueError) as error:
        raise DataError(
            _("There are no parts of this training data in {folder}: {error}", folder=place.parent, error=error),
            _("Build all shards with the same recipes, model and settings: koki data build --shard 1/8 ..."),
        ) from error
    return facts
