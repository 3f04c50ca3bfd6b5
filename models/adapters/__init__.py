"""The task adapter layer: which NLP task types there are. A new one is a file, and a line in ADAPTERS.

The lines are written out, so that a step's code digest and the wheel of a version find every adapter.
"""

from models.adapters.base import ENCODED_SCHEMA, IGNORED, Answers, Encoding, Outcomes, Shape, TaskAdapter, pad
from models.adapters.dialogue import Dialogue
from models.adapters.dialogue_state import DialogueState
from models.adapters.multi_label_classification import MultiLabelClassification
from models.adapters.multiple_choice import MultipleChoice
from models.adapters.question_answering import QuestionAnswering
from models.adapters.relation_classification import RelationClassification
from models.adapters.relation_extraction import RelationExtraction
from models.adapters.summarization import Summarization
from models.adapters.text_classification import TextClassification
from models.adapters.token_classification import TokenClassification
from models.adapters.translation import Translation
from models.schemas import AgentConfig
from models.schemas.agent import AdapterName

ADAPTERS: dict[AdapterName, type[TaskAdapter]] = {
    "text_classification": TextClassification,
    "token_classification": TokenClassification,
    "translation": Translation,
    "summarization": Summarization,
    "dialogue": Dialogue,
    "dialogue_state": DialogueState,
    "question_answering": QuestionAnswering,
    "multi_label_classification": MultiLabelClassification,
    "relation_classification": RelationClassification,
    "multiple_choice": MultipleChoice,
    "relation_extraction": RelationExtraction,
}

__all__ = [
    "ADAPTERS",
    "ENCODED_SCHEMA",
    "IGNORED",
    "Answers",
    "Dialogue",
    "DialogueState",
    "Encoding",
    "MultiLabelClassification",
    "MultipleChoice",
    "Outcomes",
    "QuestionAnswering",
    "RelationClassification",
    "RelationExtraction",
    "Shape",
    "Summarization",
    "TaskAdapter",
    "TextClassification",
    "TokenClassification",
    "Translation",
    "get_adapter",
    "pad",
]


def get_adapter(config: AgentConfig) -> TaskAdapter:
    """Make the adapter that an agent's description names."""
    return ADAPTERS[config.adapter](config)
