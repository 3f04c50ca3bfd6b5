"""One Prefect flow a file: order and policy."""
