"""XQuAD's questions about English paragraphs as an agent's rows, split by paragraph."""

import json
from pathlib import Path

from benchmarks.wnut17_data import folder_from

QUESTION_ANSWERING = (
    "1,190 questions about 240 paragraphs (XQuAD, English). All questions about a paragraph are held out "
    "together; an answer that stands in its paragraph several times is learned where it first stands."
)


def question_answering(folder: Path) -> dict[str, object]:
    """Write the rows and describe an agent that answers."""
    found = json.loads((folder_from("QUICKSTUDY_DATA") / "xquad" / "xquad.en.json").read_text("utf-8"))
    rows = [
        {
            "question": one["question"],
            "context": part["context"],
            "answers": [a["text"] for a in one["answers"]],
        }
        for article in found["data"]
        for part in article["paragraphs"]
        for one in part["qas"]
    ]
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    (folder / "xquad.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return {
        "adapter": "question_answering",
        "sources": [{"address": str(folder / "xquad.jsonl")}],
        "max_length": 256,
        "stride": 64,
        "epochs": 8,
        "patience": 3,
        "learning_rate": 1e-4,
    }
