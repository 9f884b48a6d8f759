"""Owns image folders: one sub-folder a class, any format that Pillow reads, decoded to equal-sized
uint8.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy
import torch

from .class_folder import find_class_files
from .images import LabelledImages, MemoryImages
from .unreadable_file import UnreadableFileError, place_in_data

if TYPE_CHECKING:
    from PIL import Image

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
    files = find_class_files(folder, SUFFIXES, "images")
    paths = files.paths
    size = image_size or DEFAULT_SIZE
    num_channels = _count_channels(paths)
    lazy = FolderImages(paths, size, num_channels, num_threads)
    is_kept = len(paths) * num_channels * size * size <= memory_bytes
    return LabelledImages(
        MemoryImages(lazy.gather(torch.arange(len(paths)))) if is_kept else lazy,
        files.labels,
        files.classes,
        has_one_size=False,
        name_of=lambda number: place_in_data(paths[number]),
    )


def decode_image(path: Path, size: int, num_channels: int) -> torch.Tensor:
    """(C, H, W) uint8: the shorter edge scaled to `size`, the middle cut out."""
    from PIL import Image, ImageOps

    try:
        with Image.open(path) as image:
            image.load()
            upright = _to_eight_bits(ImageOps.exif_transpose(image))
            upright = upright.convert("L" if num_channels == 1 else "RGB")
            fitted = ImageOps.fit(upright, (size, size), Image.Resampling.BILINEAR)
    # Pillow raises a dozen kinds for broken files; each means the same to the user.
    except Exception as error:
        raise UnreadableFileError(path, "an image", error) from error
    pixels = torch.from_numpy(numpy.array(fitted))
    return pixels.unsqueeze(0) if num_channels == 1 else pixels.permute(2, 0, 1).contiguous()


def _to_eight_bits(image: Image.Image) -> Image.Image:
    """16-bit grey scaled to 8 bits; Pillow's own conversion would cut everything above 255 to white."""
    from PIL import Image

    if not image.mode.startswith("I"):
        return image
    values = numpy.asarray(image).astype(numpy.int64).clip(0, 65_535)
    return Image.fromarray((values // 257).astype(numpy.uint8))


def _count_channels(paths: list[Path]) -> int:
    from PIL import Image

    stride = max(1, len(paths) // NUM_LOOKED_AT)
    for path in paths[::stride]:
        try:
            with Image.open(path) as image:
                mode = image.mode
        except OSError as error:
            raise UnreadableFileError(path, "an image", error) from error
        if mode not in ("L", "1", "I", "I;16", "F", "LA"):
            return 3
    return 1
