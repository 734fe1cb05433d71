"""The form of PyPhi, and what notebooks show."""

import json

import matplotlib as mpl
import numpy as np
import pytest

import iitcore as iit

mpl.use("Agg")

TPM = np.array([[0.0, 0.2], [0.3, 0.4], [0.5, 0.6], [0.7, 1.0]])


def test_round_trip_through_the_arguments_of_network() -> None:
    substrate = iit.Substrate(TPM, ["left", "right"])
    back = iit.from_pyphi(iit.to_pyphi(substrate))
    assert back.units == ("left", "right")
    assert np.array_equal(back.tpm, TPM)


def test_connections_go_from_row_to_column() -> None:
    chain = iit.Substrate([[0.2, 0.1], [0.2, 0.9], [0.2, 0.1], [0.2, 0.9]])  # A acts on B, nothing else
    assert iit.to_pyphi(chain)["cm"].tolist() == [[0, 1], [0, 0]]


def test_one_axis_per_unit_as_pyphi_keeps_it() -> None:
    grid = np.empty((2, 2, 2))
    for a in range(2):
        for b in range(2):
            grid[a, b] = TPM[a + 2 * b]
    assert np.array_equal(iit.from_pyphi({"tpm": grid}).tpm, TPM)


def test_state_by_state() -> None:
    swap = [[1, 0, 0, 0], [0, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 1]]
    assert iit.from_pyphi({"tpm": swap}).tpm.tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]


def test_an_object_with_the_attributes_of_network() -> None:
    class Network:
        tpm, cm, node_labels = TPM, np.ones((2, 2)), ("P", "Q")

    assert iit.from_pyphi(Network()).units == ("P", "Q")


def test_json_as_pyphi_writes_it(tmp_path) -> None:
    labels = {"labels": ["P", "Q"], "node_indices": [0, 1], "__class__": "NodeLabels", "__version__": "1.2.0"}
    about = {"size": 2, "__class__": "Network", "__version__": "1.2.0", "__id__": 1}
    path = tmp_path / "network.json"
    path.write_text(json.dumps({"tpm": TPM.tolist(), "cm": [[1, 1], [1, 1]], "node_labels": labels, **about}))
    read = iit.from_pyphi(path)
    assert read.units == ("P", "Q")
    assert np.array_equal(read.tpm, TPM)


@pytest.mark.parametrize(
    ("network", "message"),
    [
        ({"tpm": TPM, "cm": [[1, 0], [1, 1]]}, "no connection A → B"),
        ({"tpm": TPM, "cm": [[1, 1, 1]]}, "one row and one column per unit"),
        ({"cm": [[1]]}, "no TPM"),
        (object(), "no TPM"),
        ({"tpm": TPM + 1}, "unit"),
    ],
)
def test_what_is_no_network_is_refused(network, message) -> None:
    with pytest.raises(iit.SubstrateError, match=message):
        iit.from_pyphi(network)


def test_a_file_that_is_no_json_is_refused(tmp_path) -> None:
    (tmp_path / "x.json").write_text("{")
    with pytest.raises(iit.SubstrateError, match=r"x\.json cannot be read"):
        iit.from_pyphi(tmp_path / "x.json")


def test_units_of_three_values_are_refused() -> None:
    three = iit.Substrate.from_factors([[[0.2, 0.3, 0.5], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]])
    with pytest.raises(iit.SubstrateError, match="binary units only"):
        iit.to_pyphi(three)
