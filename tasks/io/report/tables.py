"""The numbers behind the pictures, as plain tables of text."""

from collections.abc import Iterable
from dataclasses import dataclass

from models.schemas.records import (
    DatasetSnapshot,
    DriftReport,
    EvaluationReport,
    GateReport,
    Metric,
    TestResult,
)
from tasks.io.report.story import Round
from tasks.io.report.words import metric_name, named_test, p_value, points


@dataclass(frozen=True)
class Table:
    """A titled table; the first column is text, the others are figures."""

    title: str
    head: tuple[str, ...]
    lines: tuple[tuple[str, ...], ...]


def tables_of(turn: Round) -> list[Table]:
    """Make every table that the round's records allow."""
    made: list[Table] = []
    if turn.evaluation:
        made += [_metrics(turn.evaluation), _labels(turn.evaluation), _slices(turn.evaluation)]
        made += [_robustness(turn.evaluation), _robustness_by_slice(turn.evaluation), _cost(turn.evaluation)]
    if turn.gate:
        made += [_gate(turn.gate), _rails(turn.gate)]
    if turn.drift:
        made.append(_drift(turn.drift))
    unusable = tuple((reason, f"{count:,}") for reason, count in turn.unusable.items())
    made.append(Table("Not usable in training", ("reason", "count"), unusable))
    if turn.snapshots:
        made += _data(turn.snapshots[-1])
    return [t for t in made if t.lines]


def _drift(report: DriftReport) -> Table:
    lines = [(t.name, f"{t.statistic:.4g}", _p(t.p_value), _yes(t.drifted)) for t in report.tests]
    return Table("Drift tests", ("test", "statistic", "p-value", "drifted"), tuple(lines))


def _p(value: float) -> str:
    return p_value(value).removeprefix("p ").removeprefix("= ")


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _scores(items: Iterable[tuple[str, Metric]]) -> tuple[tuple[str, ...], ...]:
    return tuple((n, f"{m.value:.3f}", f"{m.low:.3f} to {m.high:.3f}", f"{m.rows:,}") for n, m in items)


def _metrics(report: EvaluationReport) -> Table:
    items = [(metric_name(n), m) for n, m in report.metrics.items()]
    items += [("before fine-tuning", report.before)] if report.before else []
    items += [(metric_name(n), m) for n, m in report.baselines.items()]
    return Table("Metrics", ("", "score", "95 % interval", "rows"), _scores(items))


def _labels(report: EvaluationReport) -> Table:
    names = list(dict.fromkeys(n for scores in report.per_label.values() for n in scores))
    lines = [(label, *(_figure(scores.get(n)) for n in names)) for label, scores in report.per_label.items()]
    return Table("By label", ("label", *(metric_name(n) for n in names)), tuple(lines))


def _figure(value: float | None) -> str:
    if value is None:
        return "–"  # noqa: RUF001
    return f"{value:,.0f}" if value > 1 or value == 0 else f"{value:.3f}"


def _slices(report: EvaluationReport) -> Table:
    title = f"{metric_name(report.primary)} by slice"
    return Table(
        title[:1].upper() + title[1:],
        ("slice", "score", "95 % interval", "rows"),
        _scores((s.name, s.metric) for s in report.slices),
    )


def _robustness(report: EvaluationReport) -> Table:
    head = ("rows", "score", "95 % interval", "rows changed", "lost (%)", "95 % interval")
    clean = report.robustness[0].clean if report.robustness else None
    lines = [("as they are", f"{clean.value:.3f}", _between(clean), "0", "", "")] if clean else []
    for one in report.robustness:
        lost = f"{100 * one.lost.low:.1f} to {100 * one.lost.high:.1f}"
        score = (f"{one.perturbed.value:.3f}", _between(one.perturbed))
        name = metric_name(one.perturbation)
        lines.append((name, *score, f"{one.changed:,}", f"{100 * one.lost.value:.1f}", lost))
    return Table("Robustness", head, tuple(lines))


def _robustness_by_slice(report: EvaluationReport) -> Table:
    names = tuple(metric_name(one.perturbation) for one in report.robustness)
    scores = [{s.name: f"{s.metric.value:.3f}" for s in one.slices} for one in report.robustness]
    lines = [
        (s.name, f"{s.metric.value:.3f}", *(one.get(s.name, "") for one in scores), f"{s.metric.rows:,}")
        for s in (report.slices if scores else ())
    ]
    return Table("Robustness by slice", ("slice", "as they are", *names, "rows"), tuple(lines))


def _between(metric: Metric) -> str:
    return f"{metric.low:.3f} to {metric.high:.3f}"


def _cost(report: EvaluationReport) -> Table:
    lines = [(f"median latency, batch of {n}", f"{ms:.1f} ms") for n, ms in report.latency_ms.items()]
    lines += [("size of the weights", f"{report.size_mb:.1f} MB")]
    lines += [("expected calibration error", f"{report.calibration_error:.3f}")]
    return Table("Cost and calibration", ("", "value"), tuple(lines))


def _gate(report: GateReport) -> Table:
    tests = (*((report.superiority,) if report.superiority else ()), *report.slices, *report.baselines)
    head = ("test", "method", "rows", "before", "new", "points", "margin", "p-value", "passed")
    return Table("The gate's tests", head, tuple(_test(t) for t in tests))


def _test(test: TestResult) -> tuple[str, ...]:
    return (
        named_test(test.name),
        test.method,
        f"{test.rows:,}",
        f"{test.champion:.3f}",
        f"{test.challenger:.3f}",
        points(test.difference),
        f"{test.margin * 100:.1f}" if test.margin else "–",  # noqa: RUF001
        _p(test.p_value),
        _yes(test.passed),
    )


def _rails(report: GateReport) -> Table:
    lines = [
        (metric_name(r.name), f"{r.value:.4g}", "none" if r.limit is None else f"{r.limit:g}", _yes(r.passed))
        for r in report.guardrails
    ]
    return Table("Guardrails", ("guardrail", "value", "limit", "holds"), tuple(lines))


def _data(snapshot: DatasetSnapshot) -> list[Table]:
    kinds = (
        ("Rows by split", "split", snapshot.split_counts),
        ("Rows by label", "label", snapshot.label_counts),
        ("Rows by domain", "domain", snapshot.domain_counts),
        ("Quarantine", "reason", snapshot.reasons),
    )
    return [
        Table(title, (head, "rows"), tuple((n, f"{c:,}") for n, c in counts.items()))
        for title, head, counts in kinds
    ]
