"""A start's pictures, as files for its MLflow run, and its story as Markdown for Prefect."""

import base64

import pyarrow.parquet as pq

from models.evaluate import outcomes_of
from models.meta.judging import by_episode
from models.meta.scoring import scores_of
from models.schemas.start import StartReport, StartScores
from tasks.io.digests import checked
from tasks.io.evaluation import OUTCOMES, read_baselines
from tasks.io.report.canvas import Picture, style, svg
from tasks.io.report.plots.episodes import draw_episodes, draw_start_scores
from tasks.io.report.plots.learning import curve_figure
from tasks.io.standing import stale_sentence
from tasks.io.start_scores import PLAIN
from tasks.io.start_story import StartStory


def draw_start(training: StartReport, scores: StartScores) -> dict[str, bytes]:
    """Draw the learning curve, the scores, and the episodes: SVG by file name."""
    with style():
        drawn = [draw_start_scores(scores.score, scores.baselines)]
        plain = read_baselines(scores.outcomes)
        if plain:
            own = pq.read_table(checked(scores.outcomes) / OUTCOMES)
            both = (own, plain[PLAIN])
            drawn.append(draw_episodes(*(scores_of(outcomes_of(by_episode(table)).counts) for table in both)))
        files = {f"{picture.key}.svg": svg(picture, False).encode() for picture in drawn}
        if training.curve:
            figure = curve_figure(training.curve, training.best_step, "meta-\nvalidation", "outer step")
            files["learning.svg"] = svg(Picture("learning", "Learning curve", "", figure), False).encode()
        return files


def start_markdown(told: StartStory) -> str:
    """Tell in short how a start came to be and what the gate said, with the pictures in it."""
    config, training, scores = told.config, told.training, told.scores
    metrics = {"this start": scores.score, **scores.baselines}
    if told.incumbent:
        metrics["present start"] = told.incumbent.score
    shape = f"{config.judged_way}-way {config.judged_shot}-shot"
    lines = [
        f"# Start {config.name}",
        "",
        f"{told.decision.verdict.replace('_', ' ').capitalize()}. {told.decision.reason}",
        "",
        "| | score | 95 % |",
        "|---|---|---|",
        *(f"| {n} | {m.value:.3f} | {m.low:.3f} to {m.high:.3f} |" for n, m in metrics.items()),
        "",
        f"Up to {config.test_episodes} meta-test episodes over {scores.score.rows} held-out rows, {shape}, "
        f"{config.n_query} queries a class. "
        f"{config.learner}, {training.steps} outer steps in {training.seconds:.0f} s; step "
        f"{training.best_step} was kept.",
    ]
    for name, drawn in draw_start(training, scores).items():
        picture = base64.b64encode(drawn).decode()
        lines += ["", f"![{name.removesuffix('.svg')}](data:image/svg+xml;base64,{picture})"]
    lines += [f"\n{stale_sentence(one)}" for one in told.stale]
    return "\n".join(lines) + "\n"
