"""Kill `train`, `retrain` and `meta-train` with SIGKILL, run them again, and look whether all is whole.

    python -m benchmarks.faults --points 20 --seed 1

Each trial starts from the same prepared home, kills the command's process at a random moment or right after
one of its steps, lets the same command run to its end, and then checks: one version a training, the alias
on a version that loads, the ledger closed and in agreement, nothing left running, no half-made folder.
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.results import record, this_command
from benchmarks.tiny_agent import make_agent, make_start

LIMIT_SECONDS = 300
_STAGES = ("train", "retrain", "meta-train")


@dataclass(frozen=True)
class Stage:
    """A command under test, the home it works in, and what that home holds when it starts."""

    name: str
    command: tuple[str, ...]
    home: Path
    template: Path
    versions: int
    agent: str = "tiny"


@dataclass(frozen=True)
class Trial:
    """One kill: when it was asked for, what ran just then, and what was wrong afterwards."""

    stage: str
    point: str
    killed: bool
    problems: tuple[str, ...]


def environment(home: Path) -> dict[str, str]:
    """Give the environment of a command that works in `home`."""
    return os.environ | {"QUICKSTUDY_HOME": str(home), "HF_HUB_OFFLINE": "1", "QUICKSTUDY_DEBUG": "1"}


def start(command: tuple[str, ...], home: Path) -> subprocess.Popen[bytes]:
    """Start a quickstudy command in its own session; its output goes to `home`'s side."""
    with home.with_suffix(".log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "deployments.cli", *command],
            env=environment(home),
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def finish(command: tuple[str, ...], home: Path) -> float:
    """Run a command to its end; give the seconds.

    Raises:
        RuntimeError: It failed.
    """
    begun = time.monotonic()
    if start(command, home).wait(LIMIT_SECONDS) != 0:
        tail = home.with_suffix(".log").read_text(errors="replace")[-3000:]
        raise RuntimeError(f"quickstudy {' '.join(command)} failed: {tail}")
    return time.monotonic() - begun


def finished_steps(home: Path) -> int:
    """Count the steps that the newest run has noted as finished."""
    logs = sorted((home / "cache" / "runs").glob("*.jsonl"), key=lambda p: p.stat().st_mtime)
    return len(logs[-1].read_text().splitlines()) if logs else 0


def kill_when(process: subprocess.Popen[bytes], due: Callable[[], bool]) -> bool:
    """SIGKILL the process as soon as `due` holds; False if it ended before."""
    while process.poll() is None:
        if due():
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            return True
        time.sleep(0.002)
    return False


def left_running(home: Path) -> list[str]:
    """List processes that still work in `home`, after a moment to notice that their parent is gone."""
    deadline = time.monotonic() + 5
    while True:
        found = [
            f"{p.info['pid']} {' '.join(p.info['cmdline'] or ())[:80]}"
            for p in psutil.process_iter(["pid", "cmdline", "environ"])
            if (p.info["environ"] or {}).get("QUICKSTUDY_HOME") == str(home)
        ]
        if not found or time.monotonic() > deadline:
            return found
        time.sleep(0.1)


def problems_in(stage: Stage) -> list[str]:
    """Check everything that must hold after a command has ended well, in a process of its own."""
    home, versions = stage.home, str(stage.versions)
    command = [sys.executable, "-m", "benchmarks.check_home", str(home), versions, stage.agent]
    answer = subprocess.run(command, env=environment(home), capture_output=True, text=True, check=False)
    if answer.returncode:
        return [answer.stderr.strip()[-500:]]
    return [*json.loads(answer.stdout.splitlines()[-1]), *left_running(home)]


def restore(template: Path, home: Path) -> None:
    """Put the prepared state back in its place (addresses in it are absolute)."""
    shutil.rmtree(home, ignore_errors=True)
    shutil.copytree(template, home)


def trial(stage: Stage, point: str, due: Callable[[], bool]) -> Trial:
    """Kill the stage's command once, run it again, and check."""
    home = stage.home
    killed = kill_when(start(stage.command, home), due)
    if not killed:
        return Trial(stage.name, point, killed, ())
    survivors = [f"survived the kill: {line}" for line in left_running(home)]
    try:
        finish(stage.command, home)
    except (RuntimeError, subprocess.TimeoutExpired) as error:
        return Trial(stage.name, point, killed, (*survivors, str(error)))
    return Trial(stage.name, point, killed, (*survivors, *problems_in(stage)))


def prepare(folder: Path) -> list[Stage]:
    """Make the tiny agent and start, an empty home and a home with one champion."""
    agent, home = str(make_agent(folder / "agent")), folder / "home"
    meta_train = ("meta-train", str(make_start(folder / "start")))
    retrain = ("retrain", agent, "--window", str(folder / "agent" / "products.parquet"), "--force")
    finish(("status",), home)
    shutil.copytree(home, folder / "empty") if home.exists() else (folder / "empty").mkdir()
    finish(("train", agent), home)
    shutil.copytree(home, folder / "trained")
    return [
        Stage("train", ("train", agent), folder / "other-home", folder / "empty", 1),
        # Addresses in a home are absolute, so what was trained must go on in its place.
        Stage("retrain", retrain, home, folder / "trained", 2),
        Stage("meta-train", meta_train, folder / "third-home", folder / "empty", 1, "start-little"),
    ]


def run(stage: Stage, options: argparse.Namespace) -> list[Trial]:
    """Kill one stage at random points and after each of its steps.

    A run that ended before its point came is no kill: another point is drawn.
    """
    home, draw = stage.home, random.Random(f"{stage.name} {options.seed}")
    restore(stage.template, home)
    seconds = finish(stage.command, home)
    steps = finished_steps(home)
    trials: list[Trial] = []
    while sum(done.killed for done in trials) < options.points:
        after = draw.uniform(0, seconds)
        restore(stage.template, home)
        begun = time.monotonic()
        due = lambda begun=begun, after=after: time.monotonic() - begun > after  # noqa: E731
        trials.append(trial(stage, f"random {len(trials) + 1}: {after:.2f} s", due))
        show(trials[-1])
    for step in range(1, steps + 1) if options.boundaries else ():
        restore(stage.template, home)
        known = set((home / "cache" / "runs").glob("*.jsonl"))
        due = lambda known=known, step=step: new_steps(home, known) >= step  # noqa: E731
        trials.append(trial(stage, f"after step {step} of {steps}", due))
        show(trials[-1])
    return trials


def new_steps(home: Path, known: set[Path]) -> int:
    """Count the steps noted by runs that were not there before."""
    fresh = set((home / "cache" / "runs").glob("*.jsonl")) - known
    return sum(len(path.read_text().splitlines()) for path in fresh)


def show(done: Trial) -> None:
    """Print one trial."""
    state = "ok" if not done.problems else "BROKEN " + "; ".join(done.problems)
    print(
        f"{done.stage:10} {done.point:28} {'killed' if done.killed else 'ended before'}  {state}", flush=True
    )


def main() -> None:
    """Run the trials and write the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--points", type=int, default=20, help="random points a stage")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--boundaries", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--stages", nargs="+", default=list(_STAGES), choices=_STAGES)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        stages = [stage for stage in prepare(Path(place)) if stage.name in arguments.stages]
        print(f"seed {arguments.seed}")
        # Side by side: each has a home of its own, and being slowed down moves the points, not the outcome.
        with ThreadPoolExecutor(min(2, len(stages))) as threads:
            runs = threads.map(lambda stage: run(stage, arguments), stages)
            trials = [t for found in runs for t in found]
    lines = [
        "| flow | kills at random points | kills at step boundaries | broken afterwards |",
        "|---|---:|---:|---:|",
    ]
    for stage in stages:
        mine = [t for t in trials if t.stage == stage.name and t.killed]
        at_random = sum(t.point.startswith("random") for t in mine)
        broken = sum(bool(t.problems) for t in mine)
        lines.append(f"| `{stage.name}` | {at_random} | {len(mine) - at_random} | {broken} |")
    title = "Killed at any moment" + (f" (seed {arguments.seed})" if arguments.seed != 1 else "")
    if len(stages) < len(_STAGES):
        title += f": {', '.join(arguments.stages)}"
    record(title, this_command(), "\n".join(lines))
    sys.exit(any(t.problems for t in trials))


if __name__ == "__main__":
    main()
