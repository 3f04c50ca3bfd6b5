"""What came of trials, as the study keeps it: each report is stored whole beside optuna's own columns."""

from optuna import Study
from optuna.trial import FrozenTrial, TrialState
from optuna.trial import Trial as Draw

from models.schemas.trials import Trial, TrialReport, Tried

_REPORT = "report"
_STATES = {
    "complete": TrialState.COMPLETE,
    "pruned": TrialState.PRUNED,
    "failed": TrialState.FAIL,
}


def found_trial(study: Study, number: int) -> FrozenTrial:
    """Give a trial as it is now."""
    return study.get_trials(deepcopy=False)[number]


def open_trial(study: Study, number: int) -> Draw:
    """Give a trial that another process may have begun, to draw, to report and to end it."""
    # optuna's own way in is `ask`, which only ever begins a new one.
    return Draw(study, found_trial(study, number)._trial_id)


def keep(study: Study, trial: Trial, report: TrialReport) -> None:
    """Store a report and end the trial; one that has ended stays as it is."""
    if found_trial(study, trial.number).state.is_finished():
        return
    # The report first: killed in between, the trial is still open and is told again.
    open_trial(study, trial.number).set_user_attr(_REPORT, report.model_dump_json())
    value = report.score if report.state == "complete" else None
    study.tell(trial.number, value, state=_STATES[report.state], skip_if_finished=True)


def report_of(found: FrozenTrial) -> TrialReport | None:
    """Give a finished trial's report; None if it has not ended."""
    if not found.state.is_finished() or _REPORT not in found.user_attrs:
        return None
    return TrialReport.model_validate_json(found.user_attrs[_REPORT])


def finished(study: Study) -> tuple[Tried, ...]:
    """Give every finished trial, by number."""
    reports = ((one, report_of(one)) for one in study.get_trials(deepcopy=False))
    return tuple(
        Tried(trial=Trial(study=study.study_name, number=one.number, values=one.params), report=report)
        for one, report in reports
        if report
    )


def repeated(study: Study, trial: Trial) -> TrialReport | None:
    """Give the report of an earlier trial with the same values: the same training would give it again."""
    for one in finished(study):
        if one.trial.values == trial.values and one.report.state != "failed":
            reason = f"the values of trial {one.trial.number}, whose report this is"
            return one.report.model_copy(update={"seconds": 0.0, "folder": "", "reason": reason})
    return None
