"""What every binarizer owes the study, the words and whoever calls it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from pydantic import TypeAdapter, ValidationError

from pipeline.base.arrays import Bools
from pipeline.base.errors import PhiscaleError
from pipeline.base.parameters import Section
from pipeline.base.registry import Registry
from pipeline.binarize import deciding
from pipeline.binarize.binarizer import Binarizer, Stretch, above
from pipeline.binarize.parameters import DEFAULT, Binarize
from pipeline.binarize.registry import BINARIZERS
from pipeline.binarize.states import binarize
from pipeline.study.parameters import Parameters

ROOT = Path(__file__).resolve().parents[3]
EVERY_METHOD = pytest.mark.parametrize("binarizer", BINARIZERS.values(), ids=list(BINARIZERS))
SECTION = TypeAdapter(Binarize)


def traces() -> np.ndarray:
    """Two units (time, unit) at 10 Hz, ON at random, with noise."""
    rng = np.random.default_rng(0)
    levels = rng.exponential(2, (400, 2)) * (rng.random((400, 2)) < 0.2)
    return np.repeat(levels, 5, axis=0) + rng.normal(0, 0.2, (2000, 2))


def a_study(**section: Any) -> Parameters:
    return Parameters.model_validate({"study": "s", "conditions": ["a"], "binarize": section})


@EVERY_METHOD
def test_a_binarizer_has_words(binarizer: Binarizer) -> None:
    section = SECTION.validate_python({"method": binarizer.name}).model_dump()
    words = binarizer.sentence(section)
    assert words.startswith("ON where ")
    assert not words.endswith(".")
    assert "{" not in words
    assert binarizer.summary
    assert not binarizer.summary.endswith(".")
    assert binarizer.fix
    assert binarizer.signal_name
    assert all(isinstance(text, str) and text for text in binarizer.references)
    assert all(flag and meaning for flag, meaning in binarizer.flags.items())


@EVERY_METHOD
def test_parameters_survive_the_way_through_a_study(binarizer: Binarizer) -> None:
    section = a_study(method=binarizer.name, bin_s=0.2).binarize
    assert set(section.model_dump()) == {
        *("method", "bin_s", "per_window", "match_length", "min_frames"),
        *binarizer.Parameters.model_fields,
    }
    assert SECTION.validate_python(section.model_dump(mode="json")) == section
    assert all(field.description for field in binarizer.Parameters.model_fields.values())


@EVERY_METHOD
def test_states_have_a_shape_and_depend_on_nothing_else(binarizer: Binarizer) -> None:
    first, second = (binarize(traces(), 10.0, binarizer.name) for _ in range(2))
    assert first.identical(second)
    assert first["states"].shape == first["signal"].shape == (400, 2)
    assert set(np.unique(first["states"])) == {0, 1}
    assert np.isfinite(first["threshold"]).all()
    assert first.attrs["method"] == binarizer.name
    assert first["signal"].attrs["long_name"] == binarizer.signal_name


@EVERY_METHOD
def test_what_is_not_given_is_what_the_section_says(binarizer: Binarizer) -> None:
    own = binarizer.Parameters().model_dump()
    assert binarize(traces(), 10.0, binarizer.name).identical(binarize(traces(), 10.0, binarizer.name, **own))


@EVERY_METHOD
def test_a_parameter_of_another_method_is_refused(binarizer: Binarizer) -> None:
    known = {name for other in BINARIZERS.values() for name in other.Parameters.model_fields}
    for foreign in known - set(binarizer.Parameters.model_fields):
        with pytest.raises(
            PhiscaleError, match=rf"binarize\.{foreign}: .*method '{binarizer.name}'.*Fix: leave it out"
        ):
            binarize(traces(), 10.0, binarizer.name, **{foreign: 0.5})
        with pytest.raises(ValidationError, match=foreign):
            a_study(method=binarizer.name, **{foreign: 0.5})


@EVERY_METHOD
def test_one_file_holds_all_of_it(binarizer: Binarizer) -> None:
    own = Path(sys.modules[type(binarizer).__module__].__file__ or "")
    assert own.stem == binarizer.name
    others = set(own.parent.glob("*.py")) - {own}
    named = {path.name for path in others if f'"{binarizer.name}"' in path.read_text()}
    assert named <= {"parameters.py", "states.py"}  # the default; the docstring that lists them


def test_the_default_is_events() -> None:
    assert DEFAULT == SECTION.validate_python({}) == a_study().binarize
    assert DEFAULT.method == "events"


def test_names_values_and_windows_that_do_not_belong_are_refused() -> None:
    with pytest.raises(PhiscaleError, match=r"binarize\.quantil: .*method 'quantile', which has: quantile"):
        binarize(traces(), 10.0, "quantile", quantil=0.9)
    with pytest.raises(PhiscaleError, match=r"binarize\.z: -1 is refused"):
        binarize(traces(), 10.0, "zscore", z=-1)
    with pytest.raises(PhiscaleError, match=r"binarize\.per_window: .*binarize_windows"):
        binarize(traces(), 10.0, per_window=True)


def test_z_of_two_methods_has_two_meanings() -> None:
    described = {name: BINARIZERS[name].Parameters.model_fields["z"].description for name in ("zscore", "events")}
    assert described["zscore"] != described["events"]


def test_events_say_where_the_decay_time_comes_from() -> None:
    words = BINARIZERS["events"].sentence
    assert words({"z": 3.0, "tau_s": 0.7}).endswith("deconvolution with a decay time of 0.7 s")
    assert words({"z": 3.0, "tau_s": None}).endswith("deconvolution with a decay time estimated for each unit")


def test_another_method_is_a_class_and_an_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    class Half(Binarizer):
        name = "half"
        summary = "above half of the largest value"
        methods = "ON where its mean over the bin exceeded {share:g} of its largest"

        class Parameters(Section):
            share: float = 0.5

        def decide(self, stretch: Stretch, parameters: Parameters) -> tuple[float, Bools]:
            return above(stretch.signal, parameters.share * float(stretch.signal.max()))

    monkeypatch.setattr(deciding, "BINARIZERS", Registry("binarizer", "binarize.method", Half()))
    found = binarize(traces(), 10.0, "half")
    np.testing.assert_array_equal(found["threshold"], 0.5 * found["signal"].max("frame"))


@pytest.mark.parametrize("path", ["config/demo/study.yaml", "config/examples/mouse-sleep/study.yaml"])
def test_studies_that_come_along_name_no_parameter_of_another_method(path: str) -> None:
    section = yaml.safe_load((ROOT / path).read_text())["binarize"]
    assert SECTION.validate_python(section).model_dump() | section == SECTION.validate_python(section).model_dump()


def test_the_registry_is_light_to_import() -> None:
    heavy = ("numba", "torch", "scipy.signal", "sklearn", "matplotlib", "h5py")
    code = f"import sys, pipeline.binarize.parameters; print([m for m in {heavy} if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
