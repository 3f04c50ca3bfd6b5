"""Domain pretraining on unlabelled texts of BANKING77: perplexity before and after, and a few labels on top.

`python -m benchmarks.pretrain_domain` (about half an hour on two cores). The encoder learns masked words from
the training texts without their labels, by the product's own steps; perplexity is of the tenth of them that
is held out by hash. Then the plain encoder and the start are fine-tuned on the same 5 labels a class, and
serve as frozen features of the same logistic regression; both are scored on the official test rows.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pv
from scipy import stats
from sklearn.linear_model import LogisticRegression

from benchmarks.results import record, this_command
from benchmarks.wnut17_data import encoded_job, folder_from
from models.adapters import get_adapter
from models.embed import embed
from models.encoder import load_encoder, load_tokenizer
from models.predictor import Predictor
from models.pretrain.job import PretrainJob
from models.pretrain.packing import DOCUMENTS, pack
from models.pretrained import DEFAULT_ENCODER
from models.schemas import AgentConfig, ArtifactRef, Metric, SourceConfig
from models.schemas.pretrain import Corpus, PackedCorpus, PretrainConfig, PretrainReport
from models.start_frames import ENCODER
from models.training.files import folder_ref
from tasks.io.child import run_child, train_within_memory
from tasks.io.corpus import Shares, gather_texts
from tasks.io.pretrained_scores import score_pretrained
from tasks.pretrain_fit import PRETRAIN

_TUNED, _FROZEN = "fine-tuned", "frozen, logistic regression"
_SHOT, _CHECKED = 5, 2
"""Rows a class to learn from, and to choose the epoch by."""


@dataclass(frozen=True)
class Pretrained:
    """What pretraining came to.

    Args:
        config: What was asked for.
        corpus: The texts.
        packed: The texts in sub-words.
        report: How it went.
        perplexity: Of each model by its name, on held-out texts.
    """

    config: PretrainConfig
    corpus: Corpus
    packed: PackedCorpus
    report: PretrainReport
    perplexity: dict[str, Metric]

    @property
    def encoder(self) -> str:
        """Name the encoder that came out."""
        return str(Path(self.report.start.address) / ENCODER)


def main() -> None:
    """Pretrain, fine-tune both encoders on a few labels of each seed, and record the tables."""
    options = _options()
    with TemporaryDirectory() as temporary:
        found = pretrained(options.folder or Path(temporary), options)
        print(perplexity_table(found), flush=True)
        encoders = {"plain": options.encoder, "pretrained": found.encoder}
        scores = {_FROZEN: {name: on_frozen(one, options.seeds) for name, one in encoders.items()}}
        print(scores, flush=True)
        for seed in range(options.tuned_seeds):
            for name, one in encoders.items():
                value = fine_tuned(few_rows(seed), one, seed, options.epochs_on_labels)
                scores.setdefault(_TUNED, {}).setdefault(name, []).append(value)
                print(f"seed {seed}, {name}: {value}", flush=True)
    markdown = f"{perplexity_table(found)}\n\n{label_table(scores, options)}"
    print(markdown)
    if options.record:
        record("Pretraining on a domain's texts", this_command(), markdown)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--encoder", default=DEFAULT_ENCODER)
    parser.add_argument("--epochs", type=float, default=3)
    parser.add_argument("--head-steps", type=int, default=100)
    parser.add_argument("--tokens", type=int, default=2048)
    parser.add_argument("--learning-rate", type=float, default=1e-4)
    parser.add_argument("--judged", type=int, default=400, help="held-out texts that are scored")
    parser.add_argument("--epochs-on-labels", type=int, default=10)
    parser.add_argument("--seeds", type=int, default=3, help="draws of labels for frozen features")
    parser.add_argument("--tuned-seeds", type=int, default=3, help="draws that are fine-tuned on as well")
    parser.add_argument("--folder", type=Path, help="kept, and gone on with, if the run is cut off")
    parser.add_argument("--record", action=argparse.BooleanOptionalAction, default=True)
    return parser.parse_args()


def pretrained(folder: Path, options: argparse.Namespace) -> Pretrained:
    """Gather, pack, pretrain in a child process, and score held-out texts before and after."""
    address = str(folder_from("QUICKSTUDY_DATA") / "banking77" / "train.csv")
    config = PretrainConfig(
        name="banking",
        sources=(SourceConfig(address=address),),
        encoder=options.encoder,
        epochs=options.epochs,
        head_steps=options.head_steps,
        tokens_per_batch=options.tokens,
        learning_rate=options.learning_rate,
        judged_texts=options.judged,
        block_length=128,
        evaluate_steps=50,
    )
    shares = Shares(
        validation=config.validation_share, test=config.test_share, quarantine=config.max_quarantine_share
    )
    folder.mkdir(parents=True, exist_ok=True)
    corpus = gather_texts(config.name, config.sources, shares, folder)
    place = folder / "packed"
    place.mkdir(exist_ok=True)
    counts = pack(config, Path(corpus.artifact.address) / DOCUMENTS, load_tokenizer(config.encoder), place)
    packed = PackedCorpus(
        artifact=ArtifactRef(address=str(place), digest=folder_ref(place).digest),
        corpus=corpus.artifact,
        blocks=counts.blocks,
        tokens=counts.tokens,
        texts=counts.texts,
    )
    job = PretrainJob(config=config, packed=packed.artifact, out=str(folder / "training"))
    report = train_within_memory(job, lambda _: None, config.time_limit_seconds, PRETRAIN)
    scores = score_pretrained(config, packed, report.start, folder / "outcomes")
    return Pretrained(config, corpus, packed, report, {"pretrained": scores.perplexity, **scores.baselines})


def few_rows(seed: int) -> pa.Table:
    """Draw rows of each class to learn from and to choose the epoch by; the official test rows come whole."""
    folder = folder_from("QUICKSTUDY_DATA") / "banking77"
    train, test = (pv.read_csv(folder / f"{name}.csv") for name in ("train", "test"))
    train, test = (table.rename_columns(["text", "label"]) for table in (train, test))
    labels = np.array(train["label"].to_pylist())
    rng = np.random.default_rng(seed)
    drawn = [rng.permutation(np.flatnonzero(labels == one))[: _SHOT + _CHECKED] for one in np.unique(labels)]
    chosen = np.stack(drawn)
    parts = {
        "train": train.take(chosen[:, :_SHOT].ravel()),
        "validation": train.take(chosen[:, _SHOT:].ravel()),
    }
    parts["test"] = test
    return pa.concat_tables(
        [table.append_column("split", pa.array([split] * len(table))) for split, table in parts.items()]
    )


def fine_tuned(rows: pa.Table, encoder: str, seed: int, epochs: int) -> float:
    """Fine-tune an encoder on the few rows and give the accuracy on the test rows."""
    config = _agent(rows, encoder, seed, epochs)
    with TemporaryDirectory() as folder:
        report = run_child(encoded_job(rows, config, Path(folder)), lambda _: None, 3600)
        scored = rows.filter(pc.equal(rows["split"], "test"))
        predicted = Predictor.load(Path(report.model.address)).predict(scored)
    return get_adapter(config).metrics(scored, predicted)["accuracy"]


def on_frozen(name: str, seeds: int) -> list[float]:
    """Fit a logistic regression to features of each seed's few rows; give accuracies on the test rows."""
    encoder, tokenizer = load_encoder(name)

    def features(rows: pa.Table) -> np.ndarray:
        found = embed(rows["text"].to_pylist(), encoder, tokenizer)
        return found / np.linalg.norm(found, axis=1, keepdims=True)

    test = few_rows(0).filter(pc.field("split") == "test")
    asked, truth = features(test), test["label"].to_pylist()
    found = []
    for seed in range(seeds):
        few = few_rows(seed).filter(pc.field("split") == "train")
        head = LogisticRegression(C=100.0, max_iter=1000).fit(features(few), few["label"].to_pylist())
        found.append(float(head.score(asked, truth)))
    return found


def _agent(rows: pa.Table, encoder: str, seed: int, epochs: int) -> AgentConfig:
    return AgentConfig(
        name="banking",
        adapter="text_classification",
        labels=tuple(sorted(set(rows["label"].to_pylist()))),
        sources=(SourceConfig(address="train.csv"),),
        encoder=encoder,
        max_length=64,
        stride=8,
        epochs=epochs,
        patience=epochs,
        tokens_per_batch=512,
        learning_rate=2e-4,
        head_learning_rate=1e-2,
        unit_features=False,
        seed=seed,
    )


def perplexity_table(found: Pretrained) -> str:
    """Tell the perplexities with their intervals, and what was learned from."""
    config, packed, report = found.config, found.packed, found.report
    lines = ["| model | perplexity | 95 % over texts | texts |", "|---|---:|---|---:|"]
    names = {"plain encoder": f"plain encoder, its head fitted for {config.head_steps} steps"}
    for name, metric in sorted(found.perplexity.items(), key=lambda pair: pair[1].value):
        interval = f"{metric.low:.2f} to {metric.high:.2f}"
        lines.append(f"| {names.get(name, name)} | {metric.value:.2f} | {interval} | {metric.rows:,} |")
    told = (
        f"Masked words on {packed.texts['train']:,} texts of BANKING77's training file, labels left out "
        f"({packed.tokens['train']:,} sub-words in {packed.blocks:,} blocks; {found.corpus.quarantined} rows "
        f"were duplicates): {config.epochs:g} epochs, rate {config.learning_rate:g}, "
        f"{config.tokens_per_batch} sub-words a step, {report.steps} steps with those of the head; step "
        f"{report.best_step} was kept."
    )
    return "\n".join([*lines, "", told])


def label_table(scores: dict[str, dict[str, list[float]]], options: argparse.Namespace) -> str:
    """Tell the accuracies on the test rows by what came before, and the gain with its interval over seeds."""
    lines = [
        "| on 5 labels a class | plain encoder | pretrained | gain, 95 % over seeds |",
        "|---|---|---|---|",
    ]
    for way, found in scores.items():
        plain, start = (100 * np.array(found[name]) for name in ("plain", "pretrained"))
        cells = [_listed(plain), _listed(start), _interval(start - plain)]
        lines.append(f"| {way} | " + " | ".join(cells) + " |")
    told = (
        f"Accuracy on BANKING77's 3,080 test rows, a draw of {_SHOT} rows a class for each figure in "
        f"brackets (where an encoder is fine-tuned, {_CHECKED} more a class choose the epoch of "
        f"{options.epochs_on_labels}); the same draws and settings for both. Intervals by Student's t."
    )
    return "\n".join([*lines, "", told])


def _listed(values: np.ndarray) -> str:
    return f"{values.mean():.1f} ({', '.join(f'{value:.1f}' for value in values)})"


def _interval(gains: np.ndarray) -> str:
    if len(gains) < 2:
        return f"{gains.mean():+.1f}"
    half = stats.t.ppf(0.975, len(gains) - 1) * gains.std(ddof=1) / np.sqrt(len(gains))
    return f"{gains.mean():+.1f} ({gains.mean() - half:+.1f} to {gains.mean() + half:+.1f})"


if __name__ == "__main__":
    main()
