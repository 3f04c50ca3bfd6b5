"""Score a pretrained start on held-out texts, and keep what became of each of them."""

from pathlib import Path

import pyarrow as pa

from models.metrics.perplexity import perplexity
from models.pretrain.networks import LanguageModel
from models.pretrain.objectives import make_objective
from models.pretrain.packing import read_frequencies, read_texts
from models.pretrain.scoring import judged_texts, outcomes, score_by_frequency, score_texts
from models.pretrain.store import load_pretrained_start, plain_language_model
from models.schemas import ArtifactRef
from models.schemas.pretrain import PackedCorpus, PretrainConfig, PretrainScores
from tasks.io.digests import checked
from tasks.io.evaluation import OUTCOMES, baseline_file, keep
from tasks.io.progress import progress_bar
from tasks.io.start_scores import PLAIN

FREQUENCIES = "word frequencies"
"""The baseline that every pretrained start has: how often each sub-word stands in the training texts."""


def score_pretrained(
    config: PretrainConfig, packed: PackedCorpus, start: ArtifactRef, out: Path, *, full: bool = True
) -> PretrainScores:
    """Score a start, and what has not learned from these texts, on the same masks of the same texts.

    Args:
        config: Says how texts are masked.
        packed: The corpus; its test texts are scored.
        start: The start's folder.
        out: Folder for the outcomes of each text; it appears whole.
        full: Also score the baselines.

    Raises:
        ArtifactError: Start or corpus are gone or not what their digests say.
    """
    folder = checked(packed.artifact)
    found = load_pretrained_start(checked(start))
    texts = read_texts(folder, "test")
    objective = make_objective(config, found.language.tokenizer)
    judged = judged_texts(objective, texts)

    def table(language: LanguageModel, name: str) -> pa.Table:
        with progress_bar(f"scoring {config.agent}") as show:
            nll, targets = score_texts(language.model, objective, judged, lambda share: show(share, name))
        return outcomes(texts, nll, targets, vocabulary)

    vocabulary = int(found.language.model.config.vocab_size)
    tables = {OUTCOMES: table(found.language, "the start")}
    if full:
        counted = score_by_frequency(read_frequencies(folder), objective, judged)
        tables[baseline_file(FREQUENCIES)] = outcomes(texts, *counted, vocabulary)
        plain = plain_language_model(found)
        if plain is not None:
            tables[baseline_file(PLAIN)] = table(plain, PLAIN)
    perplexities = {name: perplexity(one, config.seed) for name, one in tables.items()}
    return PretrainScores(
        start=start,
        perplexity=perplexities.pop(OUTCOMES),
        baselines={_plain(name): metric for name, metric in perplexities.items()},
        outcomes=keep(tables, out),
        size_mb=sum(p.stat().st_size for p in Path(start.address).rglob("*.safetensors")) / 1e6,
    )


def _plain(file: str) -> str:
    return Path(file).stem.removeprefix("baseline-")
