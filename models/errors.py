"""What can go wrong, as types a caller can tell apart; messages say what, where and what to do.

QuickstudyError
|-- ConfigError       the agent's description is wrong: mend the YAML, the form or the call
|-- DataError         the rows are unusable: mend the source or the column mapping
|-- ArtifactError     a stored artifact is missing or its digest differs: rebuild it
|-- TrainingError     fine-tuning ended without a model (see its log)
|   |-- TrainingTimeoutError   its time limit ran out
|   `-- TrainingMemoryError    memory ran out: tried again with smaller parts of a batch
|-- RegistryError     the model registry or a version in it is not usable
|-- LedgerError       the ledger refuses a move, or its history contradicts the registry
|-- TransientError    a fault that can pass (network, busy database): retried with back-off
`-- MissingExtraError an optional dependency is asked for by name and not installed
"""


class QuickstudyError(Exception):
    """The root of every error that this project raises on purpose."""


class ConfigError(QuickstudyError):
    """An agent's description, or an argument, is wrong."""


class DataError(QuickstudyError):
    """Rows or files can not be used."""


class ArtifactError(QuickstudyError):
    """A stored artifact is missing or is not what its digest says."""


class TrainingError(QuickstudyError):
    """Fine-tuning ended without a model."""


class TrainingTimeoutError(TrainingError):
    """Fine-tuning was ended because its time limit ran out."""


class TrainingMemoryError(TrainingError):
    """Fine-tuning ran out of memory."""


class RegistryError(QuickstudyError):
    """The model registry, or a version in it, is not usable."""


class LedgerError(QuickstudyError):
    """The ledger refuses a move."""


class TransientError(QuickstudyError):
    """A fault that may pass by itself; the step that met it is retried."""


class MissingExtraError(QuickstudyError):
    """An optional dependency is needed and not installed."""
