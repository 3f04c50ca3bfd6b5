"""Agents found by name or path, with addresses that hold wherever the command is given."""

from pathlib import Path

import pytest

from deployments.agents import find_agent, resolved
from models.schemas import SourceConfig

HERE = Path("/agents")


def _resolved(**fields: object) -> str:
    return resolved(SourceConfig.model_validate(fields), HERE).address


@pytest.mark.parametrize(
    ("address", "file_format", "becomes"),
    [
        ("rows.csv", None, "/agents/rows.csv"),
        ("../data/*.csv", None, "/data/*.csv"),
        ("/data/rows.csv", None, "/data/rows.csv"),
        ("~/rows.csv", None, "~/rows.csv"),
        ("s3://bucket/rows.csv", None, "s3://bucket/rows.csv"),
        ("sqlite:///rows.db", "sql", "sqlite:////agents/rows.db"),
        ("sqlite+pysqlite:///../rows.db", "sql", "sqlite+pysqlite:////rows.db"),
        ("sqlite:////data/rows.db", "sql", "sqlite:////data/rows.db"),
        ("sqlite:///:memory:", "sql", "sqlite:///:memory:"),
        ("sqlite:///${ROWS}/rows.db", "sql", "sqlite:///${ROWS}/rows.db"),
        ("postgresql://host/rows", "sql", "postgresql://host/rows"),
        ("./rows", "huggingface", "/agents/rows"),
        ("owner/rows", "huggingface", "owner/rows"),
    ],
)
def test_a_relative_address_counts_from_the_folder(address: str, file_format: str | None, becomes: str):
    """Paths of files, SQLite URLs and ./folders are made absolute; what is no path stays as it is."""
    assert _resolved(address=address, format=file_format) == becomes


@pytest.mark.parametrize(("encoder", "relative"), [("./encoder", True), ("owner/encoder", False)])
def test_an_encoder_counts_from_the_folder_where_it_says_so(tmp_path: Path, encoder: str, relative: bool):
    """An encoder written as ./folder lies beside the YAML file; any other name is left alone."""
    path = tmp_path / "small.yaml"
    path.write_text(
        "schema_version: 1\nname: small\nadapter: text_classification\nlabels: [a, b]\n"
        f"sources: [{{address: rows.csv}}]\nencoder: {encoder}\n"
    )
    assert find_agent(str(path)).encoder == (str(tmp_path / "encoder") if relative else encoder)
