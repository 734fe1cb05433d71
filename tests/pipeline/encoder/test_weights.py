"""Weights on disk: the same latents again, of every mode, and nothing that is run."""

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from encoder_series import autoregression

from pipeline.base.errors import PhiscaleError
from pipeline.encoder.training import train
from pipeline.encoder.weights import load_weights, save_weights

UNITS = ["e0", "e1", "e2", "e3"]


@pytest.mark.parametrize("mode", ["calibrated", "published"])
def test_stored_hierarchies_give_the_same_latents(tmp_path: Path, mode: str) -> None:
    x = autoregression(1, 300, 4)
    trained = train([x, x], seeds=[1, 2], mode=mode, steps=4, power_steps=4, hidden=4, couplings=1, evaluate_every=2)
    save_weights({"awake": trained}, UNITS, tmp_path / "weights.pt")
    stored = load_weights(tmp_path / "weights.pt")["awake"]
    assert (stored.mode, stored.units) == (mode, tuple(UNITS))
    rows = torch.as_tensor(x).expand(2, *x.shape)
    with torch.no_grad():
        for scale in (4, 2, 1):
            ours, theirs = trained.doubled(scale), stored.at(scale)
            np.testing.assert_array_equal(
                ours.encode(rows, scale)[-1].latents.numpy(), theirs.encode(rows, scale)[-1].latents.numpy()
            )
            level = ours.level_of(scale)
            y = rows[..., :scale]
            np.testing.assert_array_equal(ours.of_scales()[level](y).numpy(), theirs.of_scales()[level](y).numpy())
    with pytest.raises(ValueError, match="scale 3 is none of"):
        stored.at(3)


def test_the_same_training_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        trained = train(autoregression(1, 300, 4), steps=2, power_steps=2, hidden=4, couplings=1)
        save_weights({"awake": trained}, UNITS, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


class Harm:
    """What a file from elsewhere might hold: unpickling it writes a file."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self):
        return open, (self.path, "w")


def test_a_file_that_would_run_code_is_refused(tmp_path: Path) -> None:
    torch.save({"format": "phiscale hierarchies 1", "windows": Harm(str(tmp_path / "ran"))}, tmp_path / "w.pt")
    with pytest.raises(PhiscaleError, match="cannot be read as weights"):
        load_weights(tmp_path / "w.pt")
    assert not (tmp_path / "ran").exists()
    (tmp_path / "p.pt").write_bytes(pickle.dumps(Harm(str(tmp_path / "ran"))))
    with pytest.raises(PhiscaleError, match="cannot be read as weights"):
        load_weights(tmp_path / "p.pt")
    assert not (tmp_path / "ran").exists()
    torch.save({"format": "other"}, tmp_path / "o.pt")
    with pytest.raises(PhiscaleError, match="not of the format"):
        load_weights(tmp_path / "o.pt")
