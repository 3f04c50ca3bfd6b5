"""The program that loads a stored model in a fresh process; run by `tasks/io/isolated_load.py` only.

It is copied out of the checkout and started with `python -I -S`, so it finds the standard library and the
folder named first in its arguments, and nothing else. Nothing here may import our code.
"""

import gc
import json
import sys
from pathlib import Path


def main(site: str, model: str, example: str, answer: str) -> None:
    """Load `model`, predict `example` (JSON list of texts or rows), write lines and modules to `answer`."""
    sys.path.insert(0, site)
    gc.disable()  # imports make no garbage, and this process is over soon
    import mlflow
    import pandas as pd

    rows = json.loads(Path(example).read_text(encoding="utf-8"))
    given = pd.DataFrame({"text": rows} if isinstance(rows[0], str) else rows)
    frame = mlflow.pyfunc.load_model(model).predict(given)
    origin = getattr(sys.modules.get("models"), "__file__", None)
    found = {"lines": json.loads(frame.to_json(orient="records", double_precision=15)), "origin": origin}
    Path(answer).write_text(json.dumps(found), encoding="utf-8")
    gc.freeze()  # nor is there any to look for at its end


if __name__ == "__main__":
    main(*sys.argv[1:])
