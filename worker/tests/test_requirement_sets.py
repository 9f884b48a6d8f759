"""Requirement sets: what is missing is installed by the real pip from a folder, once; no network is one clear error."""

from __future__ import annotations

import fcntl
import socket
import sys
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import make_spec
from receiver import Receiver
from runs import KeepingTracker

from spotter.wire.api import ServerClient
from spotter_worker import job
from spotter_worker.commands import CommandPoll
from spotter_worker.failures import describe_failure
from spotter_worker.requirement_sets import (
    FOLDER,
    LOCK_NAME,
    PATIENCE,
    InstallationStoppedError,
    MissingPackagesError,
    missing,
    require_set,
)

PACKAGE = "spotter-example-tiny"


def write_set(folder: Path, *lines: str) -> Path:
    file = folder / "requirements-tiny.txt"
    file.write_text("\n".join(["# A set.", "# Size: 1 MB to download, 2 MB on disk.", *lines]))
    return file


def make_wheel(folder: Path, version: str) -> None:
    info = f"spotter_example_tiny-{version}.dist-info"
    with zipfile.ZipFile(folder / f"spotter_example_tiny-{version}-py3-none-any.whl", "w") as wheel:
        wheel.writestr("spotter_example_tiny.py", "answer = 42\n")
        facts = f"Metadata-Version: 2.1\nName: {PACKAGE}\nVersion: {version}\n"
        wheel.writestr(f"{info}/METADATA", facts)
        wheel.writestr(
            f"{info}/WHEEL",
            "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        wheel.writestr(f"{info}/RECORD", "")


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder from which pip installs, beside this Python's own packages instead of among them."""
    wheels, site = tmp_path / "wheels", tmp_path / "site"
    wheels.mkdir()
    site.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    monkeypatch.setenv("PIP_TARGET", str(site))
    monkeypatch.syspath_prepend(site)
    return wheels


def test_a_missing_package_is_installed_and_the_log_says_so(
    tmp_path: Path, index: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_wheel(index, "1.2")
    write_set(tmp_path, f"{PACKAGE}==1.2")
    both = [threading.Thread(target=require_set, args=("tiny", tmp_path)) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    said = capsys.readouterr().out
    assert f"{PACKAGE} 1.2" in said
    assert "1 MB to download, 2 MB on disk" in said
    assert said.count("are installed") == 1
    import spotter_example_tiny  # type: ignore[import-not-found]

    assert spotter_example_tiny.answer == 42
    require_set("tiny", tmp_path)
    assert capsys.readouterr().out == ""


def test_what_cannot_be_installed_is_one_error_with_the_command_that_does_it_by_hand(
    tmp_path: Path, index: Path
) -> None:
    write_set(tmp_path, f"{PACKAGE}==3.4")
    with pytest.raises(MissingPackagesError) as told:
        require_set("tiny", tmp_path)
    assert f"{PACKAGE}==3.4" in str(told.value)
    assert "npm run setup -- tiny" in str(told.value)
    assert describe_failure(told.value, {})["kind"] == "packages-missing"


@pytest.fixture
def hanging_index(index: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A package index that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.delenv("PIP_NO_INDEX")
        monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{server.getsockname()[1]}/simple")
        yield


def test_a_stop_while_packages_are_installed_ends_the_run_as_stopped(
    tmp_path: Path, hanging_index: None, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_set(tmp_path, f"{PACKAGE}==1.2")
    monkeypatch.setattr(job, "recipe_module", lambda _: require_set("tiny", tmp_path))
    monkeypatch.setattr(PATIENCE, "is_end_asked", PATIENCE.is_end_asked)
    tracker = KeepingTracker()
    commands = CommandPoll(ServerClient(receiver.home, ""), 7, 1)
    command = receiver.command("stop")
    state = job.run_job(make_spec(), tmp_path / "run", tracker, commands, tmp_path / "cache")
    assert state == "stopped"
    [acked] = tracker.of("command-acked")
    assert (acked["command_id"], acked["outcome"]) == (command, "done")
    [ended] = tracker.of("run-ended")
    assert (ended["state"], ended["error"]) == ("stopped", None)


def test_a_run_that_waits_for_anothers_installation_can_be_stopped_too(
    tmp_path: Path, index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_set(tmp_path, f"{PACKAGE}==1.2")
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    looks = iter([False, False, True])
    monkeypatch.setattr(PATIENCE, "is_end_asked", lambda: next(looks))
    with open(tmp_path / LOCK_NAME, "w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(InstallationStoppedError, match="asked to stop while packages"):
            require_set("tiny", tmp_path)


def test_a_set_that_does_not_fit_on_the_disk_is_not_downloaded(tmp_path: Path, index: Path) -> None:
    make_wheel(index, "1.2")
    file = write_set(tmp_path, f"{PACKAGE}==1.2")
    file.write_text(file.read_text().replace("2 MB on", "999999999999 MB on"))
    with pytest.raises(MissingPackagesError, match="MB are free"):
        require_set("tiny", tmp_path)


def test_only_the_pins_for_this_python_count(tmp_path: Path) -> None:
    file = write_set(
        tmp_path,
        f'{PACKAGE}==1.0; python_version < "3.10"',
        f'{PACKAGE}-other==2.0; python_version >= "3.10"',
    )
    assert missing(file) == [f"{PACKAGE}-other 2.0"]


def test_the_set_of_the_language_recipes_is_complete_here() -> None:
    assert missing(FOLDER / "requirements-language.txt") == []
