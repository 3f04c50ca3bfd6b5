"""MLflow's server for the pages: `python -m deployments.mlflow_server PARENT OPTION...`.

It heads a process group of its own and takes its workers along when its parent ends.
"""

import sys

from models.interpreter import end_group_with, uncollected


def main(parent: int, options: list[str]) -> None:
    """Run `mlflow server` with these options until the parent ends or a signal comes."""
    end_group_with(parent)
    with uncollected():
        from mlflow.cli import cli

    cli(["server", *options], prog_name="mlflow")


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
