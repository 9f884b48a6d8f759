"""Owns bringing a model from a Hugging Face Hub (or a mirror of it: HF_ENDPOINT) onto this machine.

Only what a model needs is fetched: safetensors, configs, tokenizer; never pickled weights or code. A download that
broke off goes on where it was; what is here already is not fetched again.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import httpx2
from huggingface_hub import HfApi, constants, hf_hub_download, snapshot_download
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from tqdm import tqdm

from .counted import counted
from .settings import HubSettings

WANTED = ("*.json", "*.safetensors", "*.jinja", "tokenizer.model", "merges.txt", "vocab.txt")
# Some repositories hold the same weights twice, for other programs, in folders of their own.
UNWANTED = ("*/*",)
LINE_EVERY_S = 10.0


@dataclass(frozen=True)
class HubModel:
    folder: Path
    # The commit that the folder holds.
    commit: str


class ProgressLines(tqdm):  # type: ignore[misc]
    """How much of a file is here, a line every now and then: a log is no place for a bar that redraws itself."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        settings.pop("name", None)
        super().__init__(*arguments, **{**settings, "mininterval": LINE_EVERY_S, "leave": False})

    def display(self, msg: str | None = None, pos: int | None = None) -> None:
        if msg != "" and self.total and 0 < self.n < self.total:
            share = self.n / self.total
            print(f"    {share:.0%} of {_megabytes(int(self.total))}", flush=True)


def fetch_model(name: str, revision: str | None, settings: HubSettings) -> HubModel:
    """The model's folder; progress is printed a line a file."""
    where = settings.endpoint or "huggingface.co"
    api = HfApi(endpoint=settings.endpoint, token=settings.token)
    if settings.is_offline:
        return _kept(name, revision, "HF_HUB_OFFLINE is set")
    try:
        return _fetch(api, name, revision, where)
    except GatedRepoError as error:
        raise ValueError(
            f"{name} on {where} is gated: accept its terms on its page there, then start Spotter with HF_TOKEN set to "
            "a token of that account"
        ) from error
    except RepositoryNotFoundError as error:
        raise ValueError(
            f"{where} has no model {name!r}; check the spelling (owner/name). A private model needs HF_TOKEN"
        ) from error
    except RevisionNotFoundError as error:
        raise ValueError(f"{name} on {where} has no revision {revision!r}") from error
    except HfHubHTTPError as error:
        raise ValueError(f"{where} answered for {name} with: {error}") from error
    except (httpx2.HTTPError, LocalEntryNotFoundError, OSError) as error:
        if isinstance(error, OSError) and error.errno == 28:
            raise
        return _kept(name, revision, f"{where} cannot be reached ({error})", error)


def _fetch(api: HfApi, name: str, revision: str | None, where: str) -> HubModel:
    info = api.model_info(name, revision=revision, files_metadata=True)
    commit = str(info.sha)
    files = [file for file in info.siblings or [] if _is_wanted(file.rfilename)]
    if not any(file.rfilename.endswith(".safetensors") for file in files):
        raise ValueError(
            f"{name} on {where} has no *.safetensors; weights in other formats can hold code and are not opened"
        )
    missing = [file for file in files if not _is_here(name, file.rfilename, commit)]
    size = sum(file.size or 0 for file in missing)
    if missing:
        told = f", {_megabytes(size)}" if size else ""
        print(
            f"downloading {name} ({commit[:12]}) from {where}: {counted(len(missing), 'file')}{told}",
            flush=True,
        )
    _require_space(size, name)
    folder = None
    for number, file in enumerate(files, start=1):
        path = hf_hub_download(
            name,
            file.rfilename,
            revision=commit,
            endpoint=api.endpoint,
            token=api.token,
            tqdm_class=ProgressLines,
        )
        folder = Path(path).parent
        if file in missing:
            print(f"  {number} of {len(files)}: {file.rfilename}", flush=True)
    assert folder is not None, "there is at least one weights file"
    return HubModel(folder, commit)


def _kept(name: str, revision: str | None, reason: str, cause: Exception | None = None) -> HubModel:
    """What an earlier download has left on this machine."""
    try:
        folder = Path(snapshot_download(name, revision=revision, local_files_only=True))
    except (LocalEntryNotFoundError, OSError) as error:
        raise ValueError(
            f"{reason}, and {name} is not on this machine yet. Connect it to a network, set HF_ENDPOINT to a mirror that "
            "it reaches, or give the model's folder as a path"
        ) from (cause or error)
    print(f"WARNING {reason}; using the copy of {name} that is on this machine", flush=True)
    return HubModel(folder, folder.name)


def _is_wanted(file: str) -> bool:
    return any(fnmatch(file, one) for one in WANTED) and not any(
        fnmatch(file, one) for one in UNWANTED
    )


def _is_here(name: str, file: str, commit: str) -> bool:
    folder = Path(constants.HF_HUB_CACHE) / f"models--{name.replace('/', '--')}"
    return (folder / "snapshots" / commit / file).exists()


def _require_space(size: int, name: str) -> None:
    cache = Path(constants.HF_HUB_CACHE)
    while not cache.exists():
        cache = cache.parent
    free = shutil.disk_usage(cache).free
    if free < size:
        raise OSError(
            28, f"{name} needs {_megabytes(size)}, {_megabytes(free)} are free", str(cache)
        )


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.0f} MB" if size < 1e10 else f"{size / 1e9:,.1f} GB"
