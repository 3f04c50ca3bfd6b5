"""Step `score_start`: how well a start adapts to the episodes of meta-test."""

from models.schemas import ArtifactRef
from models.schemas.start import EpisodeRows, StartConfig, StartScores
from tasks.caching import cached_step
from tasks.io.home import current_home
from tasks.io.start_scores import score
from tasks.io.step_keys import step_key

_ALSO = frozenset({"test_episodes"})


@cached_step(__name__, also=_ALSO)
def score_start(config: StartConfig, rows: EpisodeRows, start: ArtifactRef, full: bool = True) -> StartScores:
    """Score a start on the meta-test episodes of a description.

    Args:
        config: Says which classes are held out, and how episodes look.
        rows: The tokenized rows of its sources.
        start: The start, of this description or of an earlier one.
        full: Also score the pretrained encoder, which a first version has to beat.
    """
    inputs = {"config": config, "rows": rows, "start": start, "full": full}
    out = current_home().evaluations / step_key(__name__, inputs, _ALSO).digest.removeprefix("score_start-")
    return score(config, rows, start, out, full=full)
