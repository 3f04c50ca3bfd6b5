"""The child process that meta-trains: `python -m models.meta.child JOB.json`."""

import sys

from models.interpreter import uncollected
from models.training.child import serve


def main() -> int:
    """Meta-train the job named on the command line; return the process's exit code."""

    def run(request: bytes) -> None:
        # Imported here, so that a parent that dies during the slow import takes this process along.
        with uncollected():
            from models.meta.fit import meta_fit
            from models.meta.job import MetaJob
        meta_fit(MetaJob.model_validate_json(request))

    return serve(run)


if __name__ == "__main__":
    sys.exit(main())
