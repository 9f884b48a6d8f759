"""Owns IDX files (MNIST and its relatives), plain or gzipped: reading, pairing, and saying what is
wrong with them.
"""

from __future__ import annotations

import gzip
import re
import struct
from bisect import bisect_right
from itertools import accumulate
from pathlib import Path

import numpy
import torch

from .class_folder import require_classes
from .images import LabelledImages, MemoryImages, resize

IMAGES_MAGIC, LABELS_MAGIC = 0x0803, 0x0801
IMAGES_NAME = re.compile(r"(?P<set>.*?)images?[.-]idx3-ubyte(\.gz)?$")


def find_idx_pairs(folder: Path) -> list[tuple[Path, Path]]:
    """Image files with their label files, those of the test set (`t10k`, `test`) last."""
    pairs = []
    for path in sorted(folder.iterdir()):
        match = IMAGES_NAME.match(path.name)
        if not match:
            continue
        stem = path.name.removesuffix(".gz").replace("images", "labels").replace("idx3", "idx1")
        labels = next((folder / n for n in (stem, stem + ".gz") if (folder / n).is_file()), None)
        if labels is None:
            raise ValueError(f"{path}: its labels are missing; expected {stem} beside it")
        pairs.append((path, labels))
    return sorted(pairs, key=lambda pair: _is_test(pair[0]))


def load_idx(folder: Path, image_size: int | None) -> LabelledImages:
    pairs = find_idx_pairs(folder)
    parts = [(_read_images(images), _read_labels(labels)) for images, labels in pairs]
    for (images, labels), (images_path, labels_path) in zip(parts, pairs, strict=True):
        if len(images) != len(labels):
            raise ValueError(
                f"{images_path} holds {len(images)} images but {labels_path} {len(labels)} labels"
            )
        if images.shape[1:] != parts[0][0].shape[1:]:
            raise ValueError(f"{images_path}: image size differs from {pairs[0][0]}")
    pixels = torch.from_numpy(numpy.concatenate([images for images, _ in parts]))
    numbers = numpy.concatenate([labels for _, labels in parts])
    targets = torch.from_numpy(numbers).to(torch.int64)
    classes = [str(number) for number in range(int(targets.max()) + 1)]
    _require_every_label(pairs[0][1], numbers)
    require_classes(str(folder), classes, targets, "images")
    first_test = sum(len(part[0]) for part, pair in zip(parts, pairs) if not _is_test(pair[0]))  # noqa: B905
    own_test = torch.arange(first_test, len(targets)) if 0 < first_test < len(targets) else None
    store = MemoryImages(resize(pixels.unsqueeze(1), image_size))
    starts = list(accumulate((len(labels) for _, labels in parts), initial=0))

    def name_of(number: int) -> str:
        part = bisect_right(starts, number) - 1
        return f"{pairs[part][0].name}:{number - starts[part]}"

    return LabelledImages(store, targets, classes, own_test, name_of=name_of)


def _require_every_label(path: Path, labels: numpy.ndarray) -> None:
    """One stray label would make a hundred empty classes; its row says where to look."""
    missing = numpy.setdiff1d(numpy.arange(labels.max() + 1), labels)
    if len(missing) > 0:
        row = int(labels.argmax())
        raise ValueError(
            f"{path}: row {row} has the label {labels[row]}, but no row has the label {missing[0]}"
        )


def _is_test(path: Path) -> bool:
    return path.name.startswith(("t10k", "test"))


def _read_images(path: Path) -> numpy.ndarray:
    data = _read(path, IMAGES_MAGIC, "images", header=16)
    count, height, width = struct.unpack(">III", data[4:16])
    _check_length(path, len(data) - 16, count * height * width)
    return numpy.frombuffer(data, numpy.uint8, offset=16).reshape(count, height, width).copy()


def _read_labels(path: Path) -> numpy.ndarray:
    data = _read(path, LABELS_MAGIC, "labels", header=8)
    (count,) = struct.unpack(">I", data[4:8])
    _check_length(path, len(data) - 8, count)
    return numpy.frombuffer(data, numpy.uint8, offset=8).copy()


def _read(path: Path, magic: int, what: str, header: int) -> bytes:
    try:
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError) as error:
        raise ValueError(f"{path}: cannot be read: {error}") from error
    if len(data) < header:
        raise ValueError(f"{path}: {len(data)} bytes are too few for an IDX header of {header}")
    found = int.from_bytes(data[:4], "big")
    if found != magic:
        raise ValueError(f"{path}: magic number is 0x{found:08x}, IDX {what} have 0x{magic:08x}")
    return data


def _check_length(path: Path, found: int, expected: int) -> None:
    if found != expected or expected == 0:
        raise ValueError(f"{path}: the header promises {expected} bytes of data, found {found}")
