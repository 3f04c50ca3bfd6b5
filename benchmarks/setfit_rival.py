"""SetFit on labelled texts, for an environment in which it is installed; nothing of ours is imported.

`python setfit_rival.py ENCODER TRAIN.tsv TEST.tsv OUT.json SEED`. The files hold a label, a tab and a text
in each line. Batches of 16 and `num_iterations=20`, one epoch, as its documentation has it.
"""

import csv
import json
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from datasets import Dataset
from setfit import SetFitModel, Trainer, TrainingArguments

BATCH, ITERATIONS = 16, 20


def main() -> None:
    """Train, score, and leave what was found."""
    encoder, train, test, out, seed = sys.argv[1:]
    texts, labels = _read(train)
    asked, truth = _read(test)
    names = sorted(set(labels))
    rows = Dataset.from_dict({"text": texts, "label": [names.index(label) for label in labels]})
    model = SetFitModel.from_pretrained(encoder)
    with TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            output_dir=folder,
            batch_size=BATCH,
            num_iterations=ITERATIONS,
            num_epochs=1,
            seed=int(seed),
            save_strategy="no",
            report_to="none",
        )
        trainer = Trainer(model=model, args=arguments, train_dataset=rows)
        began = time.perf_counter()
        trainer.train()
        seconds = time.perf_counter() - began
    right = np.asarray(model.predict(asked)) == np.array([names.index(label) for label in truth])
    found = {"seconds": seconds, "right": right.astype(int).tolist()}
    Path(out).write_text(json.dumps(found), "utf-8")


def _read(path: str) -> tuple[list[str], list[str]]:
    with Path(path).open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE) if len(row) == 2]
    return [row[1] for row in rows], [row[0] for row in rows]


if __name__ == "__main__":
    main()
