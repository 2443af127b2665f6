"""`koki config`."""

from pathlib import Path

from commands import koki


def test_config_prints_yaml_that_config_reads(tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    file.write_text(koki("config", "--set", "seed=7").stdout, "utf-8")
    assert "seed: 7 " in koki("config", "--config", str(file)).stdout
