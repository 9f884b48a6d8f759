"""Tests which code a run says that it was trained by."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from spotter_worker.code_revision import code_revision


def git(folder: Path, *arguments: str) -> str:
    who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    done = subprocess.run(
        ["git", "-C", str(folder), *who, *arguments], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository" / "code"
    folder.mkdir(parents=True)
    (folder / "train.py").write_text("print(1)\n")
    git(folder.parent, "init", "-q")
    git(folder.parent, "add", ".")
    git(folder.parent, "commit", "-q", "-m", "first")
    return folder


def test_a_clean_repository_is_named_by_its_revision(repository: Path) -> None:
    assert code_revision(repository) == git(repository, "rev-parse", "HEAD")


def test_a_change_or_a_new_file_in_the_folder_is_told(repository: Path) -> None:
    (repository / "new.py").write_text("print(2)\n")
    assert code_revision(repository) == git(repository, "rev-parse", "HEAD") + "-dirty"
    (repository / "new.py").unlink()
    (repository / "train.py").write_text("print(3)\n")
    assert code_revision(repository).endswith("-dirty")


def test_a_change_elsewhere_in_the_repository_is_none_of_the_folder(repository: Path) -> None:
    (repository.parent / "notes.txt").write_text("later")
    assert code_revision(repository) == git(repository, "rev-parse", "HEAD")


def test_files_outside_of_git_are_named_by_their_hash(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("print(1)\n")
    before = code_revision(tmp_path)
    assert before.startswith("sha256:") and len(before) == 7 + 64
    (tmp_path / "train.py").write_text("print(2)\n")
    assert code_revision(tmp_path) != before


def test_a_package_inside_a_repository_that_does_not_hold_it_is_named_by_its_hash(
    repository: Path,
) -> None:
    installed = repository / "site-packages"
    installed.mkdir()
    (repository.parent / ".gitignore").write_text("site-packages\n")
    (installed / "train.py").write_text("print(1)\n")
    assert code_revision(installed).startswith("sha256:")


def test_the_workers_own_code_has_a_revision() -> None:
    assert code_revision()
