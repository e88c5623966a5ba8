"""Where a model is: a path, or what the Hugging Face cache has of `org/name[@revision]`."""

from __future__ import annotations

import os
import pathlib
import re
from typing import Union

Path = Union[str, "os.PathLike[str]"]

_IDENTIFIER = re.compile(r"([\w.-]+)/([\w.-]+)(?:@([\w.-]+))?")


def cache() -> pathlib.Path:
    """The folder where transformers keeps models."""
    if "HF_HUB_CACHE" in os.environ:
        return pathlib.Path(os.environ["HF_HUB_CACHE"])
    home = os.environ.get("HF_HOME") or os.path.join(
        os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "huggingface"
    )
    return pathlib.Path(home) / "hub"


def found(model: Path) -> str:
    """A path as it is, also one where nothing is; a model's name as its folder, where the cache has it. Nothing
    is fetched."""
    text = os.fspath(model)
    named = _IDENTIFIER.fullmatch(text)
    if named is None or os.path.lexists(text):
        return text
    organisation, name, revision = named.groups()
    folder = cache() / f"models--{organisation}--{name}"
    reference = folder / "refs" / (revision or "main")
    commit = reference.read_text().strip() if reference.is_file() else revision
    snapshot = folder / "snapshots" / commit if commit else None
    return str(snapshot) if snapshot is not None and snapshot.is_dir() else text
