"""The pipeline's own time around training: everything in `train` outside fine-tuning and evaluation.

    python -m benchmarks.overhead --runs 3

Each run is a whole process that trains a new agent on 5,000 real film reviews, in a home where another
agent was trained before: databases and the wheel of our code are made once a home.
"""

import argparse
import json
import shutil
import statistics
import tempfile
from collections import defaultdict
from pathlib import Path

import pyarrow.parquet as pq

from benchmarks.faults import finish
from benchmarks.results import record
from benchmarks.tiny_agent import DATA, make_agent

ROWS = 5000
MODEL = ("fine_tune", "evaluate")
OUTSIDE = "start, Prefect and end"


def seconds_by_step(home: Path) -> dict[str, float]:
    """Add up the seconds of each step of the newest run."""
    log = max((home / "cache" / "runs").glob("*.jsonl"), key=lambda path: path.stat().st_mtime)
    found: dict[str, float] = defaultdict(float)
    for line in map(json.loads, log.read_text().splitlines()):
        found[line["step"]] += line["seconds"]
    return found


def one_run(agent: Path, empty: Path, home: Path) -> dict[str, float]:
    """Train once; give the seconds of each step and of what lies around them."""
    shutil.rmtree(home, ignore_errors=True)
    shutil.copytree(empty, home)
    whole = finish(("train", str(agent)), home)
    steps = seconds_by_step(home)
    return {**steps, OUTSIDE: whole - sum(steps.values())}


def main() -> None:
    """Run, and write the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=3)
    count = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as place:
        agent, home, empty = make_agent(Path(place, "agent")), Path(place, "home"), Path(place, "empty")
        pq.write_table(
            pq.read_table(DATA / "movies.parquet").slice(0, ROWS), agent.with_name("tweets.parquet")
        )
        finish(("train", str(make_agent(Path(place, "first"), rows=100, name="first"))), home)
        shutil.copytree(home, empty)
        runs = [one_run(agent, empty, home) for _ in range(count)]
    lines = ["| step | median seconds |", "|---|---:|"]
    lines += [f"| {name} | {statistics.median(run[name] for run in runs):.1f} |" for name in runs[0]]
    own = [sum(seconds for name, seconds in run.items() if name not in MODEL) for run in runs]
    lines.append(f"| **all but {' and '.join(MODEL)}** | **{statistics.median(own):.1f}** |")
    text = f"{count} runs of `train` on {ROWS:,} rows.\n\n" + "\n".join(lines)
    record("The pipeline's own time around training", f"python -m benchmarks.overhead --runs {count}", text)
    print(text)


if __name__ == "__main__":
    main()
