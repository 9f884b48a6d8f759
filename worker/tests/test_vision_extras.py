"""Vision beyond the default: mixup, class weights, folders too large for memory, pictures of every kind."""

from __future__ import annotations

from pathlib import Path

import numpy
import pytest
import torch
from PIL import Image
from runs import Run

from spotter_worker.classification import class_loss, class_weights
from spotter_worker.data.batches import mix
from spotter_worker.data.image_folder import decode_image, load_image_folder

MIXED = {"epochs": 3, "mixup": 0.4, "class_weights": "balanced", "label_smoothing": 0.1}


def test_mixup_and_class_weights_learn_and_resume_bit_for_bit(tmp_path: Path) -> None:
    whole = Run(tmp_path / "whole", MIXED)
    assert whole.go().metrics["val/accuracy"] > 0.6
    Run(tmp_path / "cut", MIXED).command_at(14, "stop").go()
    second = Run(tmp_path / "cut", MIXED, resume_from="checkpoints/step-00000014")
    second.go()
    assert second.weights() == whole.weights()


def test_a_mix_follows_from_its_seed_and_keeps_most_of_the_first_image() -> None:
    images, labels = torch.rand(6, 1, 4, 4), torch.arange(6)
    one, same = mix(images, labels, 0.4, 9), mix(images, labels, 0.4, 9)
    assert torch.equal(one.images, same.images) and one.share == same.share
    assert 0.5 <= one.share <= 1
    other = images[one.partners]
    assert torch.allclose(one.images, one.share * images + (1 - one.share) * other)
    assert torch.equal(one.labels, labels)


def test_balanced_weights_give_every_class_the_same_say() -> None:
    labels = torch.tensor([0, 0, 0, 1])
    assert class_weights("off", labels, 2) is None
    weights = class_weights("balanced", labels, 2)
    assert weights is not None
    assert torch.allclose(weights, torch.tensor([2 / 3, 2.0]))
    assert float(weights[labels].mean()) == pytest.approx(1)
    logits = torch.zeros(4, 2)
    assert float(class_loss(logits, labels, 0, weights)) == pytest.approx(numpy.log(2))
    plain = torch.nn.functional.cross_entropy(logits, labels, label_smoothing=0.1)
    assert torch.equal(class_loss(logits, labels, 0.1, None), plain)


def test_pictures_of_every_kind_become_eight_bits_upright(tmp_path: Path) -> None:
    ramp = (numpy.arange(64).reshape(8, 8) * 1000).astype(numpy.uint16)
    Image.fromarray(ramp).save(tmp_path / "deep.png")
    deep = decode_image(tmp_path / "deep.png", 8, 1)[0].long()
    assert (deep - torch.from_numpy(ramp.astype(numpy.int64) // 257)).abs().max() <= 1
    picture = Image.new("RGB", (40, 20), (255, 0, 0))
    picture.paste((0, 0, 255), (0, 0, 20, 20))
    rotated = Image.Exif()
    # Orientation 6: turned by 90 degrees clockwise for showing; the left half comes to lie on top.
    rotated[0x0112] = 6
    picture.save(tmp_path / "turned.jpg", exif=rotated, quality=95)
    pixels = decode_image(tmp_path / "turned.jpg", 20, 3)
    assert pixels[2, 2].float().mean() > 200 and pixels[0, -3].float().mean() > 200
    for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK"):
        suffix = "tif" if mode == "CMYK" else "png"
        Image.new(mode, (9, 30)).save(tmp_path / f"{mode}.{suffix}")
        assert decode_image(tmp_path / f"{mode}.{suffix}", 12, 3).shape == (3, 12, 12)


def test_a_folder_too_large_for_memory_is_read_batch_by_batch_and_gives_the_same(
    tmp_path: Path,
) -> None:
    random = numpy.random.default_rng(1)
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        for number in range(5):
            size = (random.integers(8, 40), random.integers(8, 40), 3)
            pixels = random.integers(0, 256, size, dtype=numpy.uint8)
            Image.fromarray(pixels).save(tmp_path / name / f"{number}.png")
    kept = load_image_folder(tmp_path, 16, 2)
    lazy = load_image_folder(tmp_path, 16, 2, memory_bytes=100)
    assert type(kept.store) is not type(lazy.store)
    chosen = torch.tensor([7, 0, 3])
    assert torch.equal(kept.store.gather(chosen), lazy.store.gather(chosen))
