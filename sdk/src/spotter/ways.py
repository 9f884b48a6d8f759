"""Owns the three ways that a run's news can take: to the worker that started this program, to a server, into a folder."""

from __future__ import annotations

import json
import sys
import threading
import time
from pathlib import Path
from typing import Protocol

from .files import KeptFile, keep, keep_checkpoint, older_checkpoints
from .relay import RelayControl, RelayWriter
from .run_folder import RunFolder
from .settings import Settings
from .wire.api import ServerClient, ServerRefusedError, ServerUnreachableError
from .wire.courier import CarriedSpool, Courier
from .wire.spool import Spool
from .wire.tracker import Outlet

UPLOAD_RETRY_S = 2.0


class Way(Protocol):
    """What a run needs of the way that it takes."""

    outlet: Outlet
    # Whether the ending is ours to tell; a worker tells that of the program which it has started.
    tells_end: bool

    def should_stop(self) -> bool: ...

    def checkpoint_asked(self) -> int | None: ...

    def keep(self, source: Path, name: str) -> list[KeptFile]:
        """Files to register, copied; paths are relative to the run's folder."""
        ...

    def keep_checkpoint(
        self, source: Path, step: int, counted_to: int | None = None
    ) -> KeptFile | None:
        """None where checkpoints stay where they are."""
        ...

    def drop_checkpoints(self, keep_last: int) -> list[str]:
        """Paths of older ones that were removed."""
        ...

    def finish(self, is_drained: bool, deadline: float) -> None: ...


class WorkerWay:
    """Inside a command run: everything goes through the worker beside us; nothing here needs a network."""

    tells_end = False

    def __init__(self, relay: Path, run_folder: Path) -> None:
        self.outlet: Outlet = RelayWriter(relay)
        self._control = RelayControl(relay)
        self._run_folder = run_folder

    def should_stop(self) -> bool:
        return self._control.should_stop()

    def checkpoint_asked(self) -> int | None:
        return self._control.checkpoint_asked()

    def keep(self, source: Path, name: str) -> list[KeptFile]:
        kept = keep(source, self._run_folder / "artifacts", name)
        return [file._replace(path=f"artifacts/{file.path}") for file in kept]

    def keep_checkpoint(
        self, source: Path, step: int, counted_to: int | None = None
    ) -> KeptFile | None:
        return keep_checkpoint(source, self._run_folder, step, counted_to)

    def drop_checkpoints(self, keep_last: int) -> list[str]:
        dropped = []
        for folder in older_checkpoints(self._run_folder, keep_last):
            # The manifest first: what is half removed must not look like a checkpoint.
            (folder / "manifest.json").unlink(missing_ok=True)
            for path in sorted(folder.rglob("*"), reverse=True):
                path.rmdir() if path.is_dir() else path.unlink()
            folder.rmdir()
            dropped.append(folder.relative_to(self._run_folder).as_posix())
        return dropped

    def finish(self, is_drained: bool, deadline: float) -> None:
        return


class KeptSpool:
    """Where batches go when there is no server: onto the disk, for later."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool

    def start(self) -> None:
        return

    def append(self, events_json: str) -> None:
        self._spool.append(events_json)

    def wait_drained(self, timeout_s: float) -> bool:
        return True

    def close(self) -> None:
        self._spool.close()


class FolderWay:
    """No server was named: everything stays in a folder until somebody hands it over."""

    tells_end = True

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder
        self.outlet: Outlet = KeptSpool(folder.spool())
        self._say(f"no server is named (SPOTTER_URL, or url=…); the run is kept in {folder.path}")
        self._say(f"hand it over later with: {_sync_command(folder)}")

    def should_stop(self) -> bool:
        return False

    def checkpoint_asked(self) -> int | None:
        return None

    def keep(self, source: Path, name: str) -> list[KeptFile]:
        kept = keep(source, self.folder.path / "files" / "artifacts", name)
        return [file._replace(path=f"artifacts/{file.path}") for file in kept]

    def keep_checkpoint(
        self, source: Path, step: int, counted_to: int | None = None
    ) -> KeptFile | None:
        return None

    def drop_checkpoints(self, keep_last: int) -> list[str]:
        return []

    def finish(self, is_drained: bool, deadline: float) -> None:
        self.folder.note_end()

    def _say(self, text: str) -> None:
        print(f"spotter: {text}", file=sys.stderr, flush=True)


class ServerWay(FolderWay):
    """To a server with an account's token; while it is away the folder keeps everything."""

    def __init__(self, folder: RunFolder, url: str, token: str) -> None:
        self.folder = folder
        self._url, self._token = url.rstrip("/"), token
        self._spool = folder.spool()
        self._courier = Courier(
            self._spool, ServerClient(self._url, token), self._open_door, 1, self._on_final
        )
        self.outlet = CarriedSpool(self._spool, self._courier)
        self._final_code: str | None = None
        self._new_files = threading.Event()
        self._ending = threading.Event()
        self._uploader = threading.Thread(target=self._upload_all, name="uploader", daemon=True)
        self._uploader.start()

    def should_stop(self) -> bool:
        # Ended by somebody on the run's page: the server takes no more of it.
        return self._final_code == "attempt-ended"

    def keep(self, source: Path, name: str) -> list[KeptFile]:
        kept = super().keep(source, name)
        self._new_files.set()
        return kept

    def finish(self, is_drained: bool, deadline: float) -> None:
        self.folder.note_end()
        self._ending.set()
        self._new_files.set()
        self._uploader.join(max(0.0, deadline - time.monotonic()))
        if is_drained and not self._uploader.is_alive() and not self.folder.waiting_files():
            self.folder.remove()
            return
        self._say(f"the server does not have all of the run yet; it is kept in {self.folder.path}")
        self._say(f"hand the rest over with: {_sync_command(self.folder)}")

    def _open_door(self) -> str:
        is_new = self.folder.run_id is None
        client = ServerClient(self._url, self._token)
        try:
            run_id = self.folder.open_run(client)
        except ValueError as error:
            raise ServerRefusedError(400, "invalid-request", str(error), {}) from error
        finally:
            client.close()
        if is_new:
            self._say(f"run {run_id}: {self._url}/runs/{run_id}/charts")
            self._new_files.set()
        return f"/api/runs/{run_id}/events"

    def _on_final(self, code: str) -> None:
        self._final_code = code

    def _upload_all(self) -> None:
        client = ServerClient(self._url, self._token)
        while True:
            self._new_files.wait()
            self._new_files.clear()
            try:
                while self.folder.run_id is not None and (files := self.folder.waiting_files()):
                    self.folder.upload(client, files[0])
            except ServerUnreachableError:
                self._retry_soon()
            # The edge of this thread: a file that is refused or unreadable stays in the folder.
            except Exception as error:  # noqa: BLE001
                self._say(f"files wait in {self.folder.path}: {error}")
                return
            if self._ending.is_set() and not self._new_files.is_set():
                return

    def _retry_soon(self) -> None:
        if self._ending.wait(UPLOAD_RETRY_S):
            return
        self._new_files.set()


class SilentWay:
    """Not the first of several processes that train one model: it tells nothing."""

    tells_end = False

    class _Nowhere:
        def start(self) -> None:
            return

        def append(self, events_json: str) -> None:
            return

        def wait_drained(self, timeout_s: float) -> bool:
            return True

        def close(self) -> None:
            return

    def __init__(self) -> None:
        self.outlet: Outlet = self._Nowhere()

    def should_stop(self) -> bool:
        return False

    def checkpoint_asked(self) -> int | None:
        return None

    def keep(self, source: Path, name: str) -> list[KeptFile]:
        return []

    def keep_checkpoint(
        self, source: Path, step: int, counted_to: int | None = None
    ) -> KeptFile | None:
        return None

    def drop_checkpoints(self, keep_last: int) -> list[str]:
        return []

    def finish(self, is_drained: bool, deadline: float) -> None:
        return


def choose_way(settings: Settings, folder: Path | None, wish: dict[str, object]) -> Way:
    """`wish` is what `init()` was told: name, project, config, tags, note; `url` and `token` go before the settings'."""
    url, token = wish.pop("url") or settings.url, wish.pop("token") or settings.token
    if settings.rank > 0:
        return SilentWay()
    if settings.relay is not None and settings.run_folder is not None:
        return WorkerWay(settings.relay, settings.run_folder)
    run_folder = RunFolder.create((folder or settings.folder).absolute(), wish)
    if token is None:
        if url is not None:
            print(f"spotter: {url} wants a token (SPOTTER_TOKEN, or token=…)", file=sys.stderr)
        return FolderWay(run_folder)
    return ServerWay(run_folder, str(url or "http://127.0.0.1:8888"), str(token))


def resumed_checkpoint(settings: Settings) -> Path | None:
    """The file or folder that `checkpoint()` was given, in its kept copy; None at a run's first attempt."""
    folder = settings.resume_from
    if folder is None or not (folder / "manifest.json").exists():
        return None
    return folder / str(json.loads((folder / "manifest.json").read_text())["name"])


def _sync_command(folder: RunFolder) -> str:
    return f"{Path(sys.executable).name} -m spotter sync {folder.path}"
