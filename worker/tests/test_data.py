"""Image sources, their errors, the split, and the order of batches."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import pytest
import torch
from PIL import Image

from spotter_worker.data.augment import augment
from spotter_worker.data.batches import Normalization, TrainBatches
from spotter_worker.data.digits import load_digits
from spotter_worker.data.idx import find_idx_pairs, load_idx
from spotter_worker.data.image_folder import load_image_folder
from spotter_worker.data.images import LabelledImages, MemoryImages
from spotter_worker.data.split import Split, split_labels


def write_idx(folder: Path, name: str, num_images: int, first_label: int = 0) -> None:
    folder.mkdir(exist_ok=True)
    pixels = bytes(number % 251 for number in range(num_images * 36))
    labels = bytes((number + first_label) % 3 for number in range(num_images))
    (folder / f"{name}-images-idx3-ubyte").write_bytes(
        struct.pack(">IIII", 0x0803, num_images, 6, 6) + pixels
    )
    with gzip.open(folder / f"{name}-labels-idx1-ubyte.gz", "wb") as file:
        file.write(struct.pack(">II", 0x0801, num_images) + labels)


def write_images(folder: Path, num_images: int = 4, mode: str = "RGB") -> None:
    for number, name in enumerate(("cat", "dog")):
        (folder / name).mkdir(parents=True)
        for index in range(num_images):
            shade = 40 + 100 * number + index
            colour = shade if mode == "L" else (shade, 0, 255 - shade)
            Image.new(mode, (20, 10 + index), colour).save(folder / name / f"{index}.png")


def split_images(data: LabelledImages, validation: float, test: float, seed: int) -> Split:
    return split_labels(data.labels, validation, test, seed, "images", data.own_test)


def test_digits_are_the_1797_of_scikit_learn() -> None:
    data = load_digits(None)
    assert (len(data.store), data.store.size, data.store.num_channels) == (1797, 8, 1)
    assert torch.bincount(data.labels).tolist() == [
        178,
        182,
        177,
        183,
        181,
        182,
        181,
        179,
        174,
        180,
    ]
    from sklearn.datasets import load_digits as original

    expected = (torch.from_numpy(original().images).float() * 255 / 16).round()
    assert torch.equal(data.store.gather(torch.arange(1797))[:, 0].float(), expected)
    assert load_digits(16).store.size == 16


def test_idx_files_are_read_plain_and_gzipped(tmp_path: Path) -> None:
    write_idx(tmp_path, "train", 30)
    data = load_idx(tmp_path, None)
    assert (len(data.store), data.store.size, data.classes) == (30, 6, ["0", "1", "2"])
    assert data.store.gather(torch.tensor([0]))[0, 0, 0].tolist() == [0, 1, 2, 3, 4, 5]
    assert data.own_test is None


def test_the_sources_own_test_files_become_the_test_split(tmp_path: Path) -> None:
    write_idx(tmp_path, "train", 30)
    write_idx(tmp_path, "t10k", 12)
    data = load_idx(tmp_path, None)
    split = split_images(data, 0.2, 0.15, seed=1)
    assert sorted(split.test.tolist()) == list(range(30, 42))
    assert len(split.train) + len(split.validation) == 30
    assert len(split_images(data, 0.2, 0, seed=1).test) == 0


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (
            lambda p: p.write_bytes(b"\0\0\x08\x01" + p.read_bytes()[4:]),
            "magic number is 0x00000801",
        ),
        (lambda p: p.write_bytes(p.read_bytes()[:-1]), "promises 1080 bytes of data, found 1079"),
        (lambda p: p.write_bytes(b"\0\0"), "too few for an IDX header"),
        (lambda p: p.rename(p.with_name("train-images-idx3-ubyte.gz")), "cannot be read"),
    ],
)
def test_a_damaged_idx_file_is_named(tmp_path: Path, damage, words: str) -> None:  # type: ignore[no-untyped-def]
    write_idx(tmp_path, "train", 30)
    damage(tmp_path / "train-images-idx3-ubyte")
    with pytest.raises(ValueError, match=words) as caught:
        load_idx(tmp_path, None)
    assert "train-images-idx3-ubyte" in str(caught.value)


def test_idx_images_without_their_labels_are_named(tmp_path: Path) -> None:
    write_idx(tmp_path, "train", 3)
    (tmp_path / "train-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(ValueError, match="its labels are missing"):
        find_idx_pairs(tmp_path)


def test_idx_counts_must_agree(tmp_path: Path) -> None:
    write_idx(tmp_path, "train", 30)
    labels = (tmp_path / "train-labels-idx1-ubyte.gz").read_bytes()
    write_idx(tmp_path, "train", 29)
    (tmp_path / "train-labels-idx1-ubyte.gz").write_bytes(labels)
    with pytest.raises(ValueError, match="holds 29 images but .* 30 labels"):
        load_idx(tmp_path, None)


def test_a_stray_label_is_named_with_its_row(tmp_path: Path) -> None:
    write_idx(tmp_path, "train", 30)
    labels = bytes(number % 3 for number in range(29)) + b"\xc8"
    with gzip.open(tmp_path / "train-labels-idx1-ubyte.gz", "wb") as file:
        file.write(struct.pack(">II", 0x0801, 30) + labels)
    with pytest.raises(ValueError, match="row 29 has the label 200, but no row has the label 3"):
        load_idx(tmp_path, None)


@pytest.mark.parametrize("memory_bytes", [2**30, 0])
def test_a_folder_of_images_reads_the_same_from_memory_and_from_disk(
    tmp_path: Path, memory_bytes: int
) -> None:
    write_images(tmp_path / "photos" / "inner")
    data = load_image_folder(tmp_path / "photos", 16, 2, memory_bytes)
    assert data.classes == ["cat", "dog"]
    assert data.labels.tolist() == [0] * 4 + [1] * 4
    images = data.store.gather(torch.tensor([0, 5]))
    assert images.shape == (2, 3, 16, 16)
    assert images[:, :, 8, 8].tolist() == [[40, 0, 215], [141, 0, 114]]


def test_a_folder_of_grey_images_has_one_channel(tmp_path: Path) -> None:
    write_images(tmp_path, mode="L")
    assert load_image_folder(tmp_path, 16, 1).store.num_channels == 1


def test_a_corrupt_image_is_named(tmp_path: Path) -> None:
    write_images(tmp_path)
    bad = tmp_path / "dog" / "2.png"
    bad.write_bytes(bad.read_bytes()[:40])
    with pytest.raises(ValueError, match=r"^dog/2\.png: not an image that can be read") as told:
        load_image_folder(tmp_path, 16, 2)
    bad.write_bytes(b"no picture at all")
    with pytest.raises(ValueError, match=r"^dog/2\.png: not .*\(cannot identify image file\)$"):
        load_image_folder(tmp_path, 16, 2)
    assert str(tmp_path) not in str(told.value)


def test_an_empty_class_and_a_lone_class_are_refused(tmp_path: Path) -> None:
    write_images(tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="the class 'empty' has no images"):
        load_image_folder(tmp_path, 16, 1)
    (tmp_path / "empty").rmdir()
    for path in (tmp_path / "dog").iterdir():
        path.unlink()
    (tmp_path / "dog").rmdir()
    with pytest.raises(ValueError, match="found 1 class"):
        load_image_folder(tmp_path, 16, 1)


def test_a_folder_without_classes_says_what_is_expected(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="expected one folder of images a class"):
        load_image_folder(tmp_path, 16, 1)


def labelled(counts: list[int]) -> LabelledImages:
    labels = torch.repeat_interleave(torch.arange(len(counts)), torch.tensor(counts))
    images = torch.zeros(len(labels), 1, 8, 8, dtype=torch.uint8)
    return LabelledImages(MemoryImages(images), labels, [str(n) for n in range(len(counts))])


def test_the_split_has_every_image_once_and_the_same_share_of_each_class() -> None:
    data = labelled([100, 50, 150])
    split = split_images(data, 0.2, 0.1, seed=3)
    parts = torch.cat([split.train, split.validation, split.test])
    assert sorted(parts.tolist()) == list(range(300))
    assert torch.bincount(data.labels[split.test]).tolist() == [10, 5, 15]
    assert torch.bincount(data.labels[split.validation]).tolist() == [18, 9, 27]


def test_rounding_over_many_classes_still_gives_the_wanted_number() -> None:
    split = split_images(labelled([7] * 10), 0.2, 0, seed=0)
    assert (len(split.train), len(split.validation), len(split.test)) == (56, 14, 0)


def test_a_split_is_fixed_by_its_seed() -> None:
    data = labelled([40, 40])
    first, same, other = (split_images(data, 0.2, 0.2, seed) for seed in (1, 1, 2))
    assert torch.equal(first.train, same.train)
    assert not torch.equal(first.test, other.test)


def test_too_few_images_are_refused_and_a_class_of_one_stays_in_training() -> None:
    with pytest.raises(ValueError, match="too few"):
        split_images(labelled([1, 1]), 0.2, 0.2, seed=0)
    data = labelled([1, 30])
    split = split_images(data, 0.2, 0, seed=0)
    assert 0 in split.train.tolist()


def batches_of(num_images: int, batch_size: int, **more: object) -> TrainBatches:
    images = torch.arange(num_images * 64).reshape(-1, 1, 8, 8).remainder(256).to(torch.uint8)
    settings = {"augmentation": "light", "mirror": False, "seed": 4, "prefetch": False, **more}
    return TrainBatches(
        MemoryImages(images),
        torch.arange(num_images),
        torch.arange(num_images),
        Normalization([0.5], [0.25]),
        batch_size,
        device=torch.device("cpu"),
        **settings,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize("prefetch", [False, True])
def test_beginning_in_the_middle_gives_the_same_batches(prefetch: bool) -> None:
    whole = list(batches_of(50, 8).epoch(3))
    rest = list(batches_of(50, 8, prefetch=prefetch).epoch(3, first_batch=4))
    assert len(rest) == len(whole) - 4
    for (images, labels), (again, same) in zip(whole[4:], rest, strict=True):
        assert torch.equal(images, again)
        assert torch.equal(labels, same)


def test_epochs_differ_and_each_has_every_image() -> None:
    batches = batches_of(50, 8)
    first, second = ([n for _, labels in batches.epoch(e) for n in labels.tolist()] for e in (0, 1))
    assert first != second
    assert sorted(first) == sorted(second) == list(range(50))


def test_a_lone_last_image_is_left_out() -> None:
    assert batches_of(17, 8).num_batches == 2
    assert batches_of(18, 8).num_batches == 3
    assert batches_of(1, 8).num_batches == 1


@pytest.mark.parametrize("kind", ["light", "standard"])
def test_augmentation_follows_its_generator_and_keeps_the_range(kind: str) -> None:
    images = torch.rand(6, 3, 12, 12)
    first, same, other = (
        augment(images, kind, True, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2)
    )
    assert torch.equal(first, same)
    assert not torch.equal(first, other)
    assert first.shape == images.shape
    assert 0 <= float(first.min()) and float(first.max()) <= 1


def test_no_augmentation_changes_nothing() -> None:
    images = torch.rand(4, 1, 8, 8)
    assert torch.equal(augment(images, "none", False, torch.Generator()), images)
