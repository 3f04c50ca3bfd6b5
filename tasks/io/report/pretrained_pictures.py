"""A pretrained start's curve, as a file for its MLflow run, and its story as Markdown for Prefect."""

import base64
from math import exp, log

from models.schemas.pretrain import PretrainReport
from tasks.io.pretrained_story import PretrainStory
from tasks.io.report.canvas import Picture, style, svg
from tasks.io.report.plots.learning import curve_figure
from tasks.io.standing import stale_sentence


def draw_pretrained(training: PretrainReport) -> dict[str, bytes]:
    """Draw the training loss above the perplexity on validation texts: SVG by file name."""
    points = [
        point.model_copy(
            update={"validation_score": exp((1 - point.validation_score) * log(training.vocabulary))}
        )
        for point in training.curve
    ]
    if not points:
        return {}
    with style():
        figure = curve_figure(points, training.best_step, "validation\nperplexity", "optimizer step")
        return {"learning.svg": svg(Picture("learning", "Learning curve", "", figure), False).encode()}


def pretrained_markdown(told: PretrainStory) -> str:
    """Tell in short how a start came to be and what the gate said, with the curve in it."""
    config, training, scores, packed = told.config, told.training, told.scores, told.packed
    metrics = {"this start": scores.perplexity, **scores.baselines}
    if told.incumbent:
        metrics["present start"] = told.incumbent.perplexity
    lines = [
        f"# Start {config.name}",
        "",
        f"{told.decision.verdict.replace('_', ' ').capitalize()}. {told.decision.reason}",
        "",
        "| | perplexity | 95 % |",
        "|---|---|---|",
        *(f"| {n} | {m.value:.2f} | {m.low:.2f} to {m.high:.2f} |" for n, m in metrics.items()),
        "",
        f"{config.objective.replace('_', ' ')} on {scores.perplexity.rows:,} held-out texts, intervals over "
        f"texts. Learned from {packed.texts['train']:,} texts in {packed.blocks:,} blocks "
        f"({packed.tokens['train']:,} sub-words): {training.steps:,} steps in {training.seconds:.0f} s, "
        f"{training.tokens_per_second:,.0f} sub-words a second; step {training.best_step:,} was kept.",
    ]
    for name, drawn in draw_pretrained(training).items():
        picture = base64.b64encode(drawn).decode()
        lines += ["", f"![{name.removesuffix('.svg')}](data:image/svg+xml;base64,{picture})"]
    lines += [f"\n{stale_sentence(one)}" for one in told.stale]
    return "\n".join(lines) + "\n"
