"""`phiscale phi`: forms of a network file, what is printed, and what is refused."""

import argparse
import json
import re
import subprocess
import sys

import numpy as np
import pytest

from iitcore import Substrate, system_phi
from iitcore.structure import PhiStructure, unfold
from iitcore.system import SystemPhi
from pipeline.base.errors import PhiscaleError
from pipeline.cli import main
from pipeline.commands.network import choose_system, read_network
from pipeline.commands.phi import add_parser

WEIGHTS = [[0.0, 0.7, 0.1], [0.1, 0.0, 0.7], [0.7, 0.2, 0.1]]


@pytest.fixture
def network():
    return Substrate.logistic(WEIGHTS, units=["left", "mid", "right"])


def text_of(sub, order=None, state_column=False, delimiter=","):
    head = (["state"] if state_column else []) + list(sub.units)
    lines = [delimiter.join(head)]
    for row in range(sub.n_states) if order is None else order:
        bits = "".join(str(row >> i & 1) for i in range(sub.n))
        cells = ([bits] if state_column else []) + [repr(float(p)) for p in sub.tpm[row]]
        lines.append(delimiter.join(cells))
    return "\n".join(lines) + "\n"


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def printed(capsys, *arguments):
    assert main(["phi", *map(str, arguments)]) == 0
    return capsys.readouterr().out


# --- forms of a network -----------------------------------------------------------------------


def test_table_with_unit_names(tmp_path, network):
    for suffix, delimiter in ((".csv", ","), (".csv", ";"), (".tsv", "\t")):
        path = write(tmp_path / f"net{suffix}", text_of(network, delimiter=delimiter))
        read = read_network(path)
        np.testing.assert_array_equal(read.tpm, network.tpm)
        assert read.units == network.units


def test_table_without_names_comments_or_blank_lines(tmp_path, network):
    rows = text_of(network).splitlines()[1:]
    text = "\ufeff# made in a lab\n\n" + "\n".join(rows) + "\n\n"
    read = read_network(write(tmp_path / "net.csv", text))
    np.testing.assert_array_equal(read.tpm, network.tpm)
    assert read.units == ("A", "B", "C")


def test_rows_in_the_order_of_a_state_column(tmp_path, network):
    order = np.random.default_rng(0).permutation(8)
    path = write(tmp_path / "net.csv", text_of(network, order, state_column=True))
    read = read_network(path)
    np.testing.assert_array_equal(read.tpm, network.tpm)
    assert read.units == network.units


def test_array_file(tmp_path, network):
    np.save(tmp_path / "net.npy", network.tpm)
    np.testing.assert_array_equal(read_network(tmp_path / "net.npy").tpm, network.tpm)


def test_square_state_by_state_matrix(tmp_path, network):
    p = network.tpm
    bits = (np.arange(8)[:, None] >> np.arange(3)) & 1
    matrix = np.prod(np.where(bits[None], p[:, None], 1 - p[:, None]), axis=2)
    np.save(tmp_path / "net.npy", matrix)
    np.testing.assert_allclose(read_network(tmp_path / "net.npy").tpm, p, atol=1e-12)
    correlated = np.eye(4)[[0, 3, 0, 3]] * 0.5 + np.eye(4)[[3, 0, 3, 0]] * 0.5
    np.save(tmp_path / "bad.npy", correlated)
    with pytest.raises(PhiscaleError, match="not conditionally independent"):
        read_network(tmp_path / "bad.npy")


@pytest.mark.parametrize("k", [None, 1.5])
def test_json_weights(tmp_path, k):
    data = {"weights": WEIGHTS, "units": ["x", "y", "z"], "bias": [0.1, 0, -0.2]}
    data |= {} if k is None else {"k": k}
    read = read_network(write(tmp_path / "net.json", json.dumps(data)))
    expected = Substrate.logistic(WEIGHTS, k=k or 4.0, bias=[0.1, 0, -0.2])
    np.testing.assert_array_equal(read.tpm, expected.tpm)
    assert read.units == ("x", "y", "z")


def test_json_tpm_and_saved_substrate(tmp_path, network):
    tpm = network.tpm.tolist()
    for name, data in (
        ("list", tpm),
        ("named", {"tpm": tpm, "units": list(network.units)}),
        ("saved", network.to_dict()),
    ):
        read = read_network(write(tmp_path / f"{name}.json", json.dumps(data)))
        np.testing.assert_allclose(read.tpm, network.tpm, atol=1e-15)
        assert read.units == (("A", "B", "C") if name == "list" else network.units)


# --- what is printed --------------------------------------------------------------------------


def test_text(tmp_path, capsys, network):
    path = write(tmp_path / "net.csv", text_of(network))
    result = system_phi(network.system("011"))
    out = printed(capsys, path, "--state", "011")
    assert f"phi_s      {result.phi:.6g} ibits" in out
    assert "system     left=0 mid=1 right=1" in out
    assert str(result.partition) in out
    assert "Φ" not in out


def test_background_and_reason(tmp_path, capsys, network):
    path = write(tmp_path / "net.csv", text_of(network))
    by_name = printed(capsys, path, "--state", "011", "--units", "left, right")
    assert printed(capsys, path, "--state", "0,1,1", "--units", "0,2") == by_name
    assert "background mid=1" in by_name
    result = system_phi(network.system("011", [0, 2]))
    assert result.phi == 0
    assert f"phi_s      0 ibits\n           {result.reason}" in by_name


def test_structure(tmp_path, capsys, network):
    path = write(tmp_path / "net.csv", text_of(network))
    out = printed(capsys, path, "--state", "011", "--structure")
    structure = unfold(network.system("011"))
    assert f"Φ          {structure.phi:.6g} ibits" in out
    assert f"relations  {structure.relations.count}, phi_r" in out
    assert f"distinctions {len(structure.distinctions)}, phi_d" in out
    assert out.count("phi_d ") == len(structure.distinctions) + 1


def test_json_output_is_the_library_s_result(tmp_path, capsys, network):
    path = write(tmp_path / "net.csv", text_of(network))
    arguments = (path, "--state", "011", "--units", "mid,right", "--structure", "--json")
    data = json.loads(printed(capsys, *arguments))
    system = network.system("011", [1, 2])
    assert data["units"] == list(network.units)
    assert data["state"] == [0, 1, 1]
    assert data["system"] == ["mid", "right"]
    assert SystemPhi.from_dict(data["analysis"]) == system_phi(system)
    assert data["phi_s"] == system_phi(system).phi
    assert PhiStructure.from_dict(data["structure"]) == unfold(system)
    plain = json.loads(printed(capsys, path, "--state", "011", "--json"))
    assert plain["structure"] is None


def test_unreachable_state_is_an_answer(tmp_path, capsys):
    never = write(tmp_path / "net.csv", "0,0.5\n0,0.2\n0,0.7\n0,0.9\n")
    out = printed(capsys, never, "--state", "10", "--structure")
    assert "no cause: no state of the universe leads to the present one" in out
    assert "structure  empty" in out
    data = json.loads(printed(capsys, never, "--state", "10", "--structure", "--json"))
    assert data["phi_s"] == 0
    assert data["reasons"]


def test_units_of_several_values_need_no_names(tmp_path, capsys):
    factors = [[[0.9, 0.05, 0.05], [0.1, 0.8, 0.1], [0.2, 0.2, 0.6]]]
    path = write(tmp_path / "net.json", json.dumps({"factors": factors}))
    assert "system     A=2" in printed(capsys, path, "--state", "2")


XOR = Substrate([[r >> j & 1 ^ r >> i & 1 for i, j in ((1, 2), (0, 2), (0, 1))] for r in range(8)])
ALIKE = Substrate.logistic(0.2 * (1 - np.eye(5)))


@pytest.mark.parametrize(
    ("network", "state", "ties"),
    [
        (XOR, "011", r"from 7 to 9.5 over 2 tied choices"),
        (ALIKE, "11111", r"the largest found; bounds \S+ and \S+ over 2\^55.02 tied choices"),
    ],
)
def test_range_over_tied_choices(tmp_path, capsys, network, state, ties):
    path = write(tmp_path / "net.csv", text_of(network))
    out = printed(capsys, path, "--state", state, "--structure")
    assert re.search(ties, out), out
    for bound in unfold(network.system(state)).phi_range:
        assert f"{bound:.6g}" in out


def test_long_analyses_are_announced(tmp_path, capsys, monkeypatch, network):
    path = write(tmp_path / "net.csv", text_of(network))
    assert main(["phi", str(path), "--state", "011", "--structure"]) == 0
    assert capsys.readouterr().err == ""
    monkeypatch.setattr("pipeline.commands.phi.PATIENCE", 0.0)
    assert main(["phi", str(path), "--state", "011", "--structure", "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["structure"]
    assert "phi_s of 3 units:" in err
    assert "structure of 3 units:" in err


def test_structure_too_large_is_refused_in_words(tmp_path, capsys):
    path = write(tmp_path / "net.json", json.dumps({"weights": np.zeros((16, 16)).tolist()}))
    err = problem(capsys, path, "--state", "0" * 16, "--structure")
    for words in ("structure of 16 units", "GiB", "leave --structure out"):
        assert words in err


def test_reader_that_stops_early_is_no_problem(tmp_path, network):
    path = write(tmp_path / "net.csv", text_of(network))
    command = [sys.executable, "-m", "pipeline.cli", "phi", str(path), "--state", "011"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


def test_published_network(golden_dir, tmp_path, capsys):
    case = json.loads((golden_dir / "iit4" / "paper_fig6B.json").read_text())
    path = write(tmp_path / "net.json", json.dumps({"tpm": case["tpm"]}))
    state = "".join(map(str, case["state"]))
    whole = max(case["candidates"], key=lambda c: len(c["units"]))
    data = json.loads(printed(capsys, path, "--state", state, "--json"))
    assert data["phi_s"] == pytest.approx(whole["phi_s"], abs=1e-9)


# --- what is refused --------------------------------------------------------------------------


def problem(capsys, *arguments):
    assert main(["phi", *map(str, arguments)]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Traceback" not in captured.err
    return captured.err


def test_state_and_units_are_refused_together(tmp_path, capsys, network):
    path = write(tmp_path / "net.csv", text_of(network))
    message = problem(capsys, path, "--state", "01", "--units", "left,nose")
    assert "2 problems" in message
    assert "state has 2 values for 3 units" in message
    assert "no unit 'nose'" in message
    assert "'x' in" in problem(capsys, path, "--state", "0,x,1")
    assert "left=2" in problem(capsys, path, "--state", "211")


@pytest.mark.parametrize(
    ("name", "text", "messages"),
    [
        ("net.csv", "", ["is empty"]),
        ("net.csv", "A,B\n", ["header but no rows"]),
        (
            "net.csv",
            "A,B\n0,0\n0,x\n1\n,1\n",
            [
                "3 problems",
                "row 1 of the TPM, unit B: 'x' is not a number",
                "row 2 of the TPM: has 1 values instead of 2",
                "row 3 of the TPM, unit A: there is no value",
            ],
        ),
        ("net.csv", "0,5;0,2\n0,1;0,2\n", ["'0,1' is not a number", "decimal point"]),
        ("net.csv", "0,0\n0,1\n1,0\n", ["(3, 2)", "2**n"]),
        ("net.csv", "0,0\n0,1.5\n1,0\n1,nan\n", ["row 1 (state 10), unit B", "row 3", "nan"]),
        (
            "net.csv",
            "state,A,B\n00,0,0\n10,1,0\n1,0,1\n10,1,1\n",
            ["not states: 1", "given twice: 10", "missing: 01, 11", "leading zeros"],
        ),
        ("net.json", "{", ["line 1", "is not JSON"]),
        ("net.json", '{"units": ["A"]}', ["gives no network", "exactly one of"]),
        ("net.json", '{"tpm": [[0], [1]], "weights": [[1]]}', ["gives tpm and weights"]),
        ("net.json", '{"tpm": [[0], [1]], "slope": 3}', ["slope", "would be ignored"]),
        ("net.json", '{"tpm": [[0, 1], [1]]}', ["cannot be read as numbers"]),
        ("net.json", '{"weights": [[0, 1]]}', ["square"]),
        ("net.json", '{"weights": [["a"]]}', ["numbers", "'a'"]),
        ("net.json", '{"weights": [[1]], "k": "steep"}', ["cannot be read as numbers", "steep"]),
        ("net.csv", "0,x\n0,1\n1,0\n1,1\n", ["row 0 of the TPM, column 2: 'x'"]),
        ("net.mat", "", [".mat", "save the TPM as CSV"]),
    ],
)
def test_files_that_are_no_network(tmp_path, capsys, name, text, messages):
    path = write(tmp_path / name, text)
    err = problem(capsys, path, "--state", "00")
    for message in messages:
        assert message in err
    assert str(path) in err


def test_files_that_cannot_be_read(tmp_path, capsys):
    assert "no such file" in problem(capsys, tmp_path / "none.csv", "--state", "0")
    (tmp_path / "net.npy").write_bytes(b"not an array")
    assert "plain array" in problem(capsys, tmp_path / "net.npy", "--state", "0")
    np.save(tmp_path / "text.npy", np.array([["a"]]))
    assert "not numbers" in problem(capsys, tmp_path / "text.npy", "--state", "0")
    (tmp_path / "net.csv").write_bytes(b"\xff\xfe\x00\x01")
    assert "is not text" in problem(capsys, tmp_path / "net.csv", "--state", "0")


def test_many_bad_values_are_counted(tmp_path):
    path = write(tmp_path / "net.csv", "A\n" + "x\n" * 30)
    with pytest.raises(PhiscaleError) as caught:
        read_network(path)
    assert len(caught.value.problems) == 9
    assert "22 more values like these" in str(caught.value)


def test_parser_stands_alone():
    parser = argparse.ArgumentParser()
    add_parser(parser.add_subparsers())
    args = parser.parse_args(["phi", "net.csv", "--state", "011"])
    assert (str(args.network), args.state, args.units) == ("net.csv", "011", None)
    assert not args.structure
    assert callable(args.run)


def test_digits_that_are_names_are_names(network):
    numbered = Substrate(network.tpm, units=["2", "0", "1"])
    system, state = choose_system(numbered, "011", "2,0")
    assert system.indices == (0, 1)
    assert state == (0, 1, 1)


@pytest.mark.parametrize(
    ("name", "text", "messages"),
    [
        ("net.csv", "A,B\n0,0\n0,1\n1,0\n1," + "1" * 140_000 + "\n", ["no table of numbers", "field"]),
        ("net.csv", "state," + ",".join(f"u{i}" for i in range(30)) + "\n" + "0," * 30 + "0\n", ["1 rows", "2**30"]),
        ("net.csv", "0,5;0,2\n0,1;0,2\n", ["row 0 of the TPM, column 1: '0,5' is not a number"]),
        ("net.csv", "0\n1.0000001\n", ["P(ON) = 1.0000001"]),
        ("net.csv", "A,B\n0_1,0\n0,1\n1,0\n1,1\n", ["unit A: '0_1' is not a number"]),
        ("net.csv", "A,\n0,0\n0,1\n1,0\n1,1\n", ["2 distinct names"]),
        ("net.csv", "state\n0\n1\n", ["no units"]),
        ("net.json", '{"tpm": [["0"], ["1"]]}', ["they are text"]),
        ("net.json", "[" * 100_000 + "]" * 100_000, ["nested too deeply"]),
        ("net.json", '{"tpm": [[0], [1' + "0" * 400 + "]]}", ["cannot be read as numbers"]),
        ("net.json", '{"tpm": [[0], [1' + "0" * 5000 + "]]}", ["numbers cannot be read"]),
        ("net.json", '{"weights": [[1' + "0" * 400 + "]]}", ["not an array of numbers"]),
        ("net.json", '{"factors": [[[0.5, 0.5], [0.5, 0.5]]], "alphabet": [3]}', ["alphabet [3]"]),
    ],
)
def test_files_that_were_taken_or_crashed(tmp_path, capsys, name, text, messages):
    path = write(tmp_path / name, text)
    err = problem(capsys, path, "--state", "00")
    for message in messages:
        assert message in err


@pytest.mark.parametrize("arguments", [("--state", "0,²,1"), ("--state", "0²1"), ("--state", "011", "--units", "²")])
def test_digits_that_are_no_numbers(tmp_path, capsys, network, arguments):
    path = write(tmp_path / "net.csv", text_of(network))
    assert "²" in problem(capsys, path, *arguments)


def test_values_from_ten_on(tmp_path, capsys):
    many = Substrate.from_factors([np.full((12, 2, 12), 1 / 12), np.full((12, 2, 2), 0.5)])
    path = write(tmp_path / "net.json", json.dumps(many.to_dict()))
    assert "A=11 B=1" in printed(capsys, path, "--state", "11,1")
    one = Substrate.from_factors([np.full((12, 12), 1 / 12)])
    path = write(tmp_path / "one.json", json.dumps(one.to_dict()))
    assert "A=11" in printed(capsys, path, "--state", "11")
    assert "A=3" in printed(capsys, path, "--state", "3,")


def test_advice_is_what_the_command_offers(tmp_path, capsys):
    together = np.zeros((4, 4))
    together[:, [0, 3]] = 0.5
    np.save(tmp_path / "net.npy", together)
    err = problem(capsys, tmp_path / "net.npy", "--state", "00")
    assert "--project" in err
    assert "project=True" not in err
    assert "phi_s      0 ibits" in printed(capsys, tmp_path / "net.npy", "--state", "00", "--project")


def test_formalism_is_named(tmp_path, capsys, network):
    path = write(tmp_path / "net.csv", text_of(network))
    assert "formalism  IIT 4.0, 2023" in printed(capsys, path, "--state", "011")
    out = printed(capsys, path, "--state", "011", "--formalism", "2026")
    assert "formalism  IIT 4.0, 2026" in out
    assert "differentiation" in out
    data = json.loads(printed(capsys, path, "--state", "011", "--formalism", "2026", "--structure", "--json"))
    assert data["phi_s"] == system_phi(network.system("011"), "2026").phi
    assert data["formalism"] == data["analysis"]["formalism"] == data["structure"]["formalism"] == "2026"
    assert "choose one of 2023, 2026" in problem(capsys, path, "--state", "011", "--formalism", "3.0")
