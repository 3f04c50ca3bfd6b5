"""A search's pictures, as files for its MLflow run, and its story as Markdown for Prefect."""

import base64

import yaml

from models.schemas.search import Choice
from models.schemas.trials import SearchReport, Tried
from tasks.io.report.canvas import style, svg
from tasks.io.report.markdown import safe
from tasks.io.report.plots.search import draw_trials
from tasks.io.report.words import metric_name, seconds


def draw_search(told: SearchReport) -> dict[str, bytes]:
    """Draw a search's history: SVG by file name."""
    with style():
        picture = draw_trials(told)
        return {f"{picture.key}.svg": svg(picture, False).encode()} if picture else {}


def value_text(value: Choice) -> str:
    """Write a value as YAML does, a number with as many digits as matter."""
    if isinstance(value, float):
        return f"{value:.4g}"
    return yaml.safe_dump(value, default_flow_style=True).removesuffix("\n...\n").strip()


def search_sentence(told: SearchReport) -> str:
    """Say in one or two sentences which trial was the best."""
    winner, before = told.winner, told.as_written
    if winner is None or winner.report.score is None:
        return "No trial gave a score."
    best = f"validation {metric_name(told.metric)} {winner.report.score:.4f}"
    if told.proposed is None:
        return f"Nothing better than the description as it stands was found ({best})."
    as_it_was = (
        f", as it stands {before.report.score:.4f}" if before and before.report.score is not None else ""
    )
    return f"Trial {winner.trial.number} is the best of {len(told.trials)}: {best}{as_it_was}."


def search_markdown(told: SearchReport) -> str:
    """Tell of every trial in a table, the best first, with the picture and what is proposed."""
    fields = list(told.present)
    lines = [
        f"# Search of {told.search.agent}",
        "",
        f"{safe(search_sentence(told))} {seconds(told.seconds)} of training in all.",
        "Chosen on validation rows; the gate decides on rows that no trial saw.",
        "",
        "| trial | state | score | " + " | ".join(map(safe, fields)) + " |",
        "|---|---|---|" + "---|" * len(fields),
        *(_line(one, fields) for one in by_score(told.trials)),
    ]
    for name, drawn in draw_search(told).items():
        picture = base64.b64encode(drawn).decode()
        lines += ["", f"![{name.removesuffix('.svg')}](data:image/svg+xml;base64,{picture})"]
    if told.proposed and told.winner:
        changed = [f"{name}: {value_text(value)}" for name, value in told.winner.trial.values.items()]
        lines += ["", "Proposed:", "", "```yaml", *changed, "```"]
    return "\n".join(lines) + "\n"


def by_score(trials: tuple[Tried, ...]) -> list[Tried]:
    """Sort complete trials before the others, the best first."""

    def rank(one: Tried) -> tuple[bool, float, int]:
        score = one.report.score if one.report.score is not None else -1.0
        return one.report.state != "complete", -score, one.trial.number

    return sorted(trials, key=rank)


def _line(one: Tried, fields: list[str]) -> str:
    score = f"{one.report.score:.4f}" if one.report.score is not None else ""
    values = [value_text(one.trial.values[name]) for name in fields]
    return "| " + " | ".join(map(safe, [str(one.trial.number), one.report.state, score, *values])) + " |"
