"""What a source's description accepts."""

import pytest
from pydantic import ValidationError

from models.schemas import SourceConfig
from models.schemas.source import hide_passwords


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://user:s3cret@host/base",
        "postgresql+psycopg://user:12345@host:5432/base",
        "mysql://user:s3/cret@host/base",
        "postgresql://:s3cret@host/base",
        "postgresql://host/base?user=me&password=s3cret",
        "mssql+pyodbc:///?odbc_connect=DRIVER%3Dx%3BPWD%3Ds3cret",
        "postgresql://user:${NAME}s3cret@host/base",
        "https://user:s3cret@host/rows.csv",
        "simplecache::ftp://user:s3cret@host/rows.csv",
    ],
)
def test_a_password_is_refused(address: str):
    """A description is stored with every run and model, so no password may stand in it."""
    with pytest.raises(ValidationError, match=r"holds a password.*write \$\{NAME\}"):
        SourceConfig(address=address)


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://user:${NAME}@host:5432/base",
        "postgresql://host/base?user=me&password=${NAME}",
        "postgresql://user@host:5432/base",
        "postgresql+psycopg://user:@/base?host=/tmp",
        "${DATABASE_URL}",
        "sqlite:///rows.db",
        "https://host:8080/at@home.csv",
        "s3://box/2024-01-01T10:00@home.csv",
        "C:/rows/*.csv",
    ],
)
def test_an_address_without_password_is_accepted(address: str):
    """Variables, users, ports and signs that only look like a password are no reason to refuse."""
    assert SourceConfig(address=address).address == address


def test_passwords_are_hidden_in_a_text():
    """Whatever else the text says stays."""
    text = "{'address': 'postgresql://user:s3cret@host/base?password=other&x=1'}"
    assert hide_passwords(text) == "{'address': 'postgresql://user:***@host/base?password=***&x=1'}"
