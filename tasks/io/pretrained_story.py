"""PretrainStory: what a run of `pretrain` did, as one record."""

from models.schemas import GateReport, PromotionDecision
from models.schemas.base import Record
from models.schemas.pretrain import Corpus, PackedCorpus, PretrainConfig, PretrainReport, PretrainScores
from tasks.io.standing import Standing


class PretrainStory(Record):
    """One pass from texts to a judged start.

    Args:
        config: The start.
        version: Its version in the registry.
        corpus: Its texts.
        packed: The texts in sub-words.
        training: Pretraining's report.
        scores: The new version's perplexity on held-out texts, beside the baselines'.
        incumbent: The present start's on the same texts.
        gate: The gate's verdict.
        decision: What happened to the champion alias.
        stale: Agents whose champions stand on another version of this start than its champion.
    """

    config: PretrainConfig
    version: int
    corpus: Corpus
    packed: PackedCorpus
    training: PretrainReport
    scores: PretrainScores
    incumbent: PretrainScores | None = None
    gate: GateReport
    decision: PromotionDecision
    stale: tuple[Standing, ...] = ()
