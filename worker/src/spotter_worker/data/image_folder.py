"""Owns image folders: one sub-folder a class, any format that Pillow reads, decoded to equal-sized
uint8.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy
import torch

from .images import LabelledImages, MemoryImages, require_classes

SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm"}
DEFAULT_SIZE = 64
# Above this the images stay on disk and every batch is decoded when it is needed.
MEMORY_BYTES = 2 * 1024**3
# Files whose mode decides between grey and colour.
NUM_LOOKED_AT = 64


class FolderImages:
    """Images on disk, decoded batch by batch on a few threads (Pillow lets go of the interpreter
    meanwhile).
    """

    def __init__(self, paths: list[Path], size: int, num_channels: int, num_threads: int) -> None:
        self._paths = paths
        self.size, self.num_channels = size, num_channels
        self._threads = ThreadPoolExecutor(max(1, num_threads), "decode")

    def __len__(self) -> int:
        return len(self._paths)

    def gather(self, indices: torch.Tensor) -> torch.Tensor:
        paths = [self._paths[index] for index in indices.tolist()]
        decode: Callable[[Path], torch.Tensor] = lambda path: decode_image(  # noqa: E731
            path, self.size, self.num_channels
        )
        return torch.stack(list(self._threads.map(decode, paths)))


def load_image_folder(
    folder: Path, image_size: int | None, num_threads: int, memory_bytes: int = MEMORY_BYTES
) -> LabelledImages:
    root = _find_root(folder)
    classes = sorted(p.name for p in root.iterdir() if p.is_dir() and not p.name.startswith("."))
    if not classes:
        raise ValueError(f"{folder}: no sub-folders; expected one folder a class, or IDX files")
    paths: list[Path] = []
    labels: list[int] = []
    for number, name in enumerate(classes):
        found = sorted(p for p in (root / name).rglob("*") if p.suffix.lower() in SUFFIXES)
        paths += found
        labels += [number] * len(found)
    targets = torch.tensor(labels, dtype=torch.int64)
    require_classes(str(root), classes, targets)
    size = image_size or DEFAULT_SIZE
    num_channels = _count_channels(paths)
    lazy = FolderImages(paths, size, num_channels, num_threads)
    if len(paths) * num_channels * size * size > memory_bytes:
        return LabelledImages(lazy, targets, classes)
    images = lazy.gather(torch.arange(len(paths)))
    return LabelledImages(MemoryImages(images), targets, classes)


def decode_image(path: Path, size: int, num_channels: int) -> torch.Tensor:
    """(C, H, W) uint8: the shorter edge scaled to `size`, the middle cut out."""
    from PIL import Image, ImageOps

    try:
        with Image.open(path) as image:
            image.load()
            upright = ImageOps.exif_transpose(image).convert("L" if num_channels == 1 else "RGB")
            fitted = ImageOps.fit(upright, (size, size), Image.Resampling.BILINEAR)
    # Pillow raises a dozen kinds for broken files; each means the same to the user.
    except Exception as error:
        raise ValueError(f"{path}: not an image that can be read ({error})") from error
    pixels = torch.from_numpy(numpy.array(fitted))
    return pixels.unsqueeze(0) if num_channels == 1 else pixels.permute(2, 0, 1).contiguous()


def _find_root(folder: Path) -> Path:
    # A zip of `photos/` unpacks to one folder that holds the classes.
    while True:
        entries = [p for p in folder.iterdir() if not p.name.startswith((".", "__MACOSX"))]
        inner = [p for p in entries if p.is_dir()]
        if len(inner) != 1 or any(p.suffix.lower() in SUFFIXES for p in entries):
            return folder
        if not any(p.is_dir() for p in inner[0].iterdir()):
            return folder
        folder = inner[0]


def _count_channels(paths: list[Path]) -> int:
    from PIL import Image

    stride = max(1, len(paths) // NUM_LOOKED_AT)
    for path in paths[::stride]:
        try:
            with Image.open(path) as image:
                mode = image.mode
        except OSError as error:
            raise ValueError(f"{path}: not an image that can be read ({error})") from error
        if mode not in ("L", "1", "I", "I;16", "F", "LA"):
            return 3
    return 1
