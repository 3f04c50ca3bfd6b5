"""Step `score_pretrained`: how well a pretrained start predicts held-out texts."""

from models.schemas import ArtifactRef
from models.schemas.pretrain import PackedCorpus, PretrainConfig, PretrainScores
from tasks.caching import cached_step
from tasks.io.home import current_home
from tasks.io.pretrained_scores import score_pretrained as score
from tasks.io.step_keys import step_key


@cached_step(__name__)
def score_pretrained(
    config: PretrainConfig, packed: PackedCorpus, start: ArtifactRef, full: bool = True
) -> PretrainScores:
    """Score a start on the held-out texts of a corpus.

    Args:
        config: Says how texts are masked.
        packed: The corpus in sub-words.
        start: The start, of this description or of an earlier one.
        full: Also score the baselines, which a first version has to beat.
    """
    inputs = {"config": config, "packed": packed, "start": start, "full": full}
    folder = step_key(__name__, inputs).digest.removeprefix("score_pretrained-")
    return score(config, packed, start, current_home().evaluations / folder, full=full)
