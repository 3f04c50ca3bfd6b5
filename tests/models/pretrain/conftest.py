"""Made-up texts with a little grammar, and pretrainings on them that end in a second."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models.encoder import load_tokenizer
from models.pretrain.job import PretrainJob
from models.pretrain.packing import pack, training_texts
from models.pretrain.tokenizers import train_tokenizer
from models.ragged import Ragged
from models.schemas import SourceConfig
from models.schemas.pretrain import PretrainConfig
from models.text_hash import SPLITS, split_codes, text_hashes
from models.training.files import folder_ref

WHO, DOES, WHAT = (
    ("the cat", "a dog", "my neighbour", "our teacher"),
    ("eats", "watches", "paints", "remembers"),
    ("bread", "the moon", "old houses", "every letter"),
)


def made_texts(count: int = 300, seed: int = 0) -> list[str]:
    """Make distinct sentences of who, does and what; the number at the end tells them apart."""
    rng = np.random.default_rng(seed)
    return [
        " ".join([*(str(rng.choice(words)) for words in (WHO, DOES, WHAT)), str(n)]) for n in range(count)
    ]


def store_documents(path: Path, texts: list[str]) -> pa.Table:
    """Store texts as the documents of a corpus."""
    hashes = text_hashes(pa.array(texts))
    splits = [SPLITS[code] for code in split_codes(hashes, 0.1, 0.1)]
    table = pa.table(
        {
            "text_hash": hashes,
            "split": splits,
            "source": ["made"] * len(texts),
            "domain": pa.nulls(len(texts), pa.string()),
            "text": texts,
        }
    )
    pq.write_table(table, path)
    return table


def new_config(**changes: object) -> PretrainConfig:
    """Describe a start of one small layer that is made anew."""
    values = {
        "name": "made",
        "sources": (SourceConfig(address="texts.csv"),),
        "layers": 1,
        "width": 32,
        "heads": 2,
        "vocabulary": 300,
        "tokenizer": "wordpiece",
        "block_length": 32,
        "tokens_per_batch": 256,
        "epochs": 6,
        "learning_rate": 1e-2,
        "evaluate_steps": 20,
        "checkpoint_steps": 7,
        "validation_texts": 20,
    }
    return PretrainConfig.model_validate({k: v for k, v in (values | changes).items() if v is not None})


def tokenizer_of(config: PretrainConfig, documents: Path) -> object:
    """Train the new model's tokenizer, or load the encoder's."""
    if config.from_scratch:
        return train_tokenizer(config, training_texts(documents))
    return load_tokenizer(config.encoder)


@pytest.fixture(scope="session")
def documents(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the stored documents of a made-up corpus."""
    path = tmp_path_factory.mktemp("corpus") / "documents.parquet"
    store_documents(path, made_texts())
    return path


@pytest.fixture
def make_config() -> Callable[..., PretrainConfig]:
    """Give a function that describes a start."""
    return new_config


@pytest.fixture
def make_job(documents: Path, tmp_path: Path) -> Callable[..., PretrainJob]:
    """Give a function that packs the corpus and describes a pretraining on it."""

    def make(out: str = "out", **changes: object) -> PretrainJob:
        config = new_config(**changes)
        packed = tmp_path / f"packed-{config.objective}"
        if not packed.exists():
            packed.mkdir()
            pack(config, documents, tokenizer_of(config, documents), packed)  # type: ignore[arg-type]
        return PretrainJob(config=config, packed=folder_ref(packed), out=str(tmp_path / out))

    return make


def ragged(*sequences: list[int]) -> Ragged:
    """Put sequences end to end."""
    flat = np.array([value for sequence in sequences for value in sequence], np.int64)
    return Ragged.from_lengths(flat, np.array([len(sequence) for sequence in sequences], np.int64))
