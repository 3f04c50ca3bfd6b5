"""Where rows come from: one address and how its columns map to the adapter's schema."""

import re
from typing import Literal

from pydantic import Field, field_validator

from models.schemas.base import Record

SourceFormat = Literal["csv", "tsv", "jsonl", "parquet", "conll", "sql", "huggingface", "snapshot"]

VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
"""An environment variable in an address; its value is filled in where the address is opened."""

# The first is what stands between user and host, which a port and a path that holds an @ may look like.
_PASSWORDS = (
    re.compile(r"(://[^:/@?#\s]*:)(?!\d+/)([^@]+)(?=@)"),
    re.compile(r"((?:[?&;]|%3b)(?:password|passwd|pwd)(?:=|%3d))([^&;%]+)", re.IGNORECASE),
)


def hide_passwords(text: str) -> str:
    """Write stars for the passwords of the addresses in a text."""
    for pattern in _PASSWORDS:
        text = pattern.sub(r"\1***", text)
    return text


class SourceConfig(Record):
    """One source of labelled rows.

    Args:
        address: A path or fsspec URL (a glob is allowed); for `sql` a SQLAlchemy URL;
            for `huggingface` a dataset id or a local folder; for `snapshot`, which retraining uses
            for old rows, the file that they are stored in. `${NAME}` stands for an environment
            variable; a password must be one.
        format: File format; by default told from the address's suffix.
        text_column: Column with the text (text classification).
        label_column: Column with the label (text classification).
        tokens_column: Column with the list of tokens (token classification).
        tags_column: Column with the list of BIO tags (token classification).
        columns: Columns of the other task types, the task's name to the source's: `{context: passage}`; one
            that is not named here is called in the source as the task calls it.
        token_index: Position of the token in a CoNLL line.
        tag_index: Position of the tag in a CoNLL line; -1 is the last one.
        time_column: Column with the time of the row, if there is one.
        domain_column: Column with the row's domain, if there is one.
        domain: The domain of all rows, where no column says it.
        document_column: Column that names the document of a row; rows of one document are held out together.
            By default the texts that rows share, where the task type has such (the passage of a question).
        held_out: True holds out every row of this source for evaluation, false none of them; by default
            each row goes where its text, or its document, falls.
        label_map: Renames of labels (or of entity types), source's name to agent's name.
        query: Table name or SELECT statement (`sql`); the split (`huggingface`).
    """

    address: str = Field(min_length=1)
    format: SourceFormat | None = None
    text_column: str = "text"
    label_column: str = "label"
    tokens_column: str = "tokens"
    tags_column: str = "tags"
    columns: dict[str, str] = Field(default_factory=dict)
    token_index: int = Field(default=0, ge=0)
    tag_index: int = Field(default=-1, ge=-1)
    time_column: str | None = None
    domain_column: str | None = None
    domain: str | None = None
    document_column: str | None = None
    held_out: bool | None = None
    label_map: dict[str, str] = Field(default_factory=dict)
    query: str | None = None

    @field_validator("address")
    @classmethod
    def _passwords_are_variables(cls, address: str) -> str:
        found = [match[2] for pattern in _PASSWORDS for match in pattern.finditer(address)]
        if not all(VARIABLE.fullmatch(password) for password in found):
            raise ValueError(
                "it holds a password, which would be stored with every run and model; "
                "write ${NAME} in its place and set the environment variable NAME"
            )
        return address
