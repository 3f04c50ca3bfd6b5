"""The child process that pretrains: `python -m models.pretrain.child JOB.json`."""

import sys

from models.interpreter import uncollected
from models.training.child import serve


def main() -> int:
    """Pretrain the job named on the command line; return the process's exit code."""

    def run(request: bytes) -> None:
        # Imported here, so that a parent that dies during the slow import takes this process along.
        with uncollected():
            from models.pretrain.fit import pretrain
            from models.pretrain.job import PretrainJob

        pretrain(PretrainJob.model_validate_json(request))

    return serve(run)


if __name__ == "__main__":
    sys.exit(main())
