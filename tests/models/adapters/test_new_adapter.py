"""A task type that nobody planned for: its class and its line in ADAPTERS are all there is of it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import torch
from torch import Tensor

from models.adapters import ADAPTERS, TextClassification, get_adapter
from models.adapters.label_column import map_labels
from models.adapters.rows import Check, Guess, Rule, Sample
from models.baselines import predict_baselines
from models.drift_window import count_labels, texts_of
from models.errors import DataError
from models.evaluate import Evaluation, evaluate
from models.frames import predict_frame
from models.predictor import Predictor
from models.preprocess import encode_snapshot
from models.schemas import AgentConfig, ArtifactRef, DatasetSnapshot, SourceConfig
from models.training.files import folder_ref
from models.training.job import TrainJob
from models.training.loop import fine_tune
from tasks.io.draft import draft_agent
from tasks.io.snapshots import ingest

STARS = ("1", "2", "3", "4")
WORDS = dict(zip(STARS, ("awful", "poor", "good", "great"), strict=True))


class Rating(TextClassification):
    """Stars for a review of a shop: near misses cost less, and each row names its shop."""

    name: ClassVar[str] = "rating"
    least_labels: ClassVar[int] = 3
    baselines: ClassVar[tuple[str, ...]] = ("majority",)
    checks: ClassVar[tuple[Check, ...]] = (
        *TextClassification.checks,
        Check("shop"),
        Check("shouting", Rule.NONE, "shouting"),
    )

    @classmethod
    def columns(cls) -> pa.Schema:
        """Add `shop`."""
        return super().columns().append(pa.field("shop", pa.string()))

    @classmethod
    def source_columns(cls, source: SourceConfig) -> dict[str, str]:
        """Take the shop from a column of that name."""
        return {**super().source_columns(source), "shop": "shop"}

    @classmethod
    def guess(cls, sample: Sample) -> Guess | None:
        """Tell reviews by their shop."""
        return super().guess(sample) if "shop" in sample else None

    @classmethod
    def rename(cls, columns: Mapping[str, pa.Array], renames: Mapping[str, str]) -> dict[str, pa.Array]:
        """Keep the shop; an empty one counts as missing."""
        return {**super().rename(columns, renames), "shop": map_labels(columns["shop"], {})}

    def measure(self, columns: Mapping[str, pa.Array]) -> dict[str, pa.Array]:
        """Look for texts in capitals."""
        shouting = pc.fill_null(pc.utf8_is_upper(columns["text"]), False)
        return {**super().measure(columns), "shop": columns["shop"], "shouting": shouting}

    def loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Add the squared distance of the expected stars."""
        stars = torch.arange(len(self.outputs), dtype=torch.float32)
        distance = logits.float().softmax(-1) @ stars - labels.flatten()
        return super().loss(logits, labels) + distance.square().mean()


@dataclass(frozen=True)
class Made:
    """What became of the reviews."""

    data: Path
    config: AgentConfig
    snapshot: DatasetSnapshot
    rows: pa.Table
    predictor: Predictor
    evaluation: Evaluation


@pytest.fixture(scope="module")
def made(make_config: Callable[..., AgentConfig], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    """Register the adapter, and take reviews through ingest, encoding, training and evaluation."""
    folder = tmp_path_factory.mktemp("rating")
    data = folder / "reviews.csv"
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(ADAPTERS, "rating", Rating)
        changes = {
            "adapter": "rating",
            "labels": STARS,
            "sources": (SourceConfig(address=str(_write(data)), text_column="review", label_column="stars"),),
            "epochs": 8,
            "patience": 8,
            "learning_rate": 5e-3,
            "head_learning_rate": 1e-2,
        }
        config = AgentConfig.model_validate(make_config().model_dump() | changes)
        snapshot = ingest(config, folder)
        rows_path = Path(snapshot.artifact.address) / "rows.parquet"
        predictor = Predictor.load(_train(config, rows_path, folder))
        rows = pq.read_table(rows_path)
        held_out = rows.filter(pc.equal(rows["split"], "test"))
        evaluation = evaluate(predictor.adapter, held_out, predictor.predict(held_out))
        yield Made(data, config, snapshot, rows, predictor, evaluation)


def _write(path: Path) -> Path:
    rng = np.random.default_rng(0)
    rows = [f"{WORDS[s]} {' '.join(rng.choice(list('abcdefgh'), 3))} {i},{s},north" for i, s in _stars(200)]
    bad = ["good service,3,", "LOUD,1,north", "fine,7,south"]
    path.write_text("\n".join(["review,stars,shop", *rows, *bad]))
    return path


def _stars(count: int) -> list[tuple[int, str]]:
    return [(i, STARS[i % len(STARS)]) for i in range(count)]


def _train(config: AgentConfig, rows: Path, folder: Path) -> Path:
    encode_snapshot(config, rows, folder / "encoded")
    encoded = ArtifactRef(address=str(folder / "encoded"), digest=folder_ref(folder / "encoded").digest)
    job = TrainJob(config=config, encoded=encoded, rows=str(rows), out=str(folder / "out"))
    return Path(fine_tune(job).model.address)


def test_its_rows_are_checked_as_it_says(made: Made):
    """Each bad row has the adapter's own reason, and the others keep the adapter's own column."""
    assert made.snapshot.reasons == {"missing shop": 1, "shouting": 1, "unknown label": 1}
    assert made.snapshot.rows == 200
    assert set(made.rows["shop"].to_pylist()) == {"north"}


def test_its_labels_are_counted(made: Made):
    """The snapshot counts the labels that the adapter lists."""
    assert made.snapshot.label_counts == dict.fromkeys(STARS, 50)


def test_it_learns_and_is_scored(made: Made):
    """The trained agent is better than chance on held-out rows, by the scorer that the adapter names."""
    assert made.evaluation.metrics["accuracy"].value > 0.5
    assert made.evaluation.confusion_labels == STARS
    assert any(one.name.startswith("label=") for one in made.evaluation.slices)


def test_its_baselines_are_those_it_names(made: Made):
    """No other baseline is fitted."""
    assert list(predict_baselines(made.config, made.rows, made.rows)) == ["majority"]


def test_drift_reads_its_predictions(made: Made):
    """Every row is a text with one predicted label."""
    counts = count_labels(made.predictor.adapter, made.predictor.predict(made.rows))
    assert (counts.sum(axis=1) == 1).all()
    assert texts_of(made.predictor.adapter, made.rows) == made.rows["text"].to_pylist()


def test_a_user_sees_what_it_shows(made: Made):
    """A registered model's answer has the adapter's columns."""
    frame = predict_frame(made.predictor, ["great coffee"])
    assert list(frame.columns) == ["label", "confidence", *(f"probability_{star}" for star in STARS)]


def test_init_knows_it(made: Made, tmp_path: Path):
    """A first description is written from a file that looks like the adapter's."""
    text = draft_agent("shops", made.data, tmp_path)
    assert "adapter: rating" in text
    assert "label_column: stars" in text


def test_its_own_column_is_asked_for(made: Made, tmp_path: Path):
    """A source without it is refused with its name."""
    (tmp_path / "a.csv").write_text("review,stars\ngood,3\n")
    source = made.config.sources[0].model_copy(update={"address": str(tmp_path / "a.csv")})
    with pytest.raises(DataError, match=r"no column 'shop'; .* columns: \{shop: \.\.\.\}"):
        ingest(made.config, tmp_path, [source])


def test_the_form_offers_it(made: Made):
    """The run form's choices are the adapters that there are."""
    choices = AgentConfig.model_json_schema()["properties"]["adapter"]["enum"]
    assert choices == list(ADAPTERS)
    assert get_adapter(made.config).name == "rating"
