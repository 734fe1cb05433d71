import json

import h5py
import numpy as np
import pytest
import scipy.io

from pipeline.base import files
from pipeline.base.errors import PhiscaleError
from pipeline.ingest import arrays, open_recording
from pipeline.ingest.registry import READERS

VALUES = np.random.default_rng(0).normal(size=(40, 3)) + 10


def opened(path, format, **options):
    row = {"recording": "007", "subject": "m1", "path": path, "format": format, **options}
    return open_recording(row)


def fault(path, format, **options):
    with pytest.raises(PhiscaleError) as caught:
        opened(path, format, **options)
    text = str(caught.value)
    assert text.lstrip("- ").startswith("recording '007'")
    return text


def write_npy(path, values=VALUES):
    np.save(path, values)
    return path


def write_v73(path, **variables):
    """Write arrays as MATLAB v7.3 does: HDF5 behind a user block, axes reversed."""
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, value in variables.items():
            file.create_dataset(name, data=np.asarray(value).T).attrs["MATLAB_class"] = "double"
    return path


def write_hdf5(path):
    with h5py.File(path, "w") as file:
        file["traces/dff"] = VALUES
        file["traces/neuropil"] = VALUES * 0.5
        file["traces/names"] = np.array([b"a", b"b"])
        file["timing/t"] = 100 + np.arange(40) * 0.5
        file["timing/all_frames"] = np.arange(60) * 0.5
    return path


def test_every_table_format_gives_the_same_recording(tmp_path):
    header = "a,b,c\n"
    (tmp_path / "x.csv").write_text(header + "\n".join(",".join(map(repr, map(float, r))) for r in VALUES))
    scipy.io.savemat(tmp_path / "v5.mat", {"traces": VALUES, "other": [1.0, 2.0]})
    write_v73(tmp_path / "v73.mat", traces=VALUES)
    write_hdf5(tmp_path / "x.h5")
    found = [
        opened(tmp_path / "x.csv", "csv", rate_hz=10),
        opened(write_npy(tmp_path / "x.npy"), "npy", rate_hz="10"),
        opened(tmp_path / "v5.mat", "mat", rate_hz=10, dataset="traces"),
        opened(tmp_path / "v73.mat", "mat", rate_hz=10),
        opened(tmp_path / "x.h5", "hdf5", rate_hz=10, dataset="/traces/dff"),
    ]
    for dataset in found:
        np.testing.assert_array_equal(dataset["fluorescence"], VALUES.astype(np.float32))
        np.testing.assert_allclose(dataset["time"], np.arange(40) / 10)
        assert dataset.attrs["recording"] == "007"
        assert len(dataset.attrs["source_sha256"]) == 64
        assert dataset.attrs["source"].split(": ")[0] in ("x.csv", "x.npy", "v5.mat", "v73.mat", "x.h5")
        assert str(tmp_path) not in dataset.attrs["history"]
    assert list(found[0]["neuron"].values) == ["a", "b", "c"]
    assert list(found[1]["neuron"].values) == ["n0", "n1", "n2"]
    assert found[4].attrs["source"] == "x.h5: traces/dff"  # what report and provenance name


def test_netcdf_round_trip(tmp_path):
    files.save(opened(write_npy(tmp_path / "x.npy"), "npy", rate_hz=10), tmp_path / "r.nc")
    dataset = opened(tmp_path / "r.nc", "netcdf", indicator="GCaMP6s")
    np.testing.assert_array_equal(dataset["fluorescence"], VALUES.astype(np.float32))
    assert dataset.attrs["indicator"] == "GCaMP6s"
    assert dataset.attrs["sampling_rate_hz"] == 10
    assert "is not a NetCDF file" in fault(tmp_path / "x.npy", "netcdf")


def test_netcdf_that_is_no_recording_is_told_what_it_lacks(tmp_path):
    good = opened(write_npy(tmp_path / "x.npy"), "npy", rate_hz=10)
    files.save(good.drop_vars(["dropped", "region"]), tmp_path / "r.nc")
    text = fault(tmp_path / "r.nc", "netcdf")
    assert "'dropped'" in text
    assert "'region'" in text


def test_neuropil_times_and_positions_come_along(tmp_path):
    (tmp_path / "where.csv").write_text("neuron,x,y,region\nn2,3,30,MOs\nn0,1,10,\nn1,2,20,7\n")
    dataset = opened(
        write_hdf5(tmp_path / "x.h5"),
        "hdf5",
        dataset="traces/dff",
        neuropil_dataset="traces/neuropil",
        time_dataset="timing/t",
        positions="where.csv",
    )
    np.testing.assert_allclose(dataset["neuropil"], VALUES * 0.5, rtol=1e-6)
    assert dataset.attrs["sampling_rate_hz"] == 2
    assert dataset["time"].values[0] == 100  # kept on its own clock
    assert list(dataset["x"].values) == [1, 2, 3]
    assert list(dataset["region"].values) == ["", "7", "MOs"]


def test_companions_of_npy_are_files_beside_it(tmp_path):
    write_npy(tmp_path / "Fneu.npy", VALUES.T * 2)
    (tmp_path / "t.csv").write_text("time_s\n" + "\n".join(str(i / 4) for i in range(40)))
    path = write_npy(tmp_path / "F.npy", VALUES.T)
    by_name = {"neuropil_dataset": "Fneu.npy", "time_dataset": "t.csv", "transpose": "true"}
    dataset = opened(path, "npy", **by_name)
    np.testing.assert_allclose(dataset["neuropil"], VALUES * 2, rtol=1e-6)
    assert dataset.attrs["sampling_rate_hz"] == 4
    other = opened(path, "npy", neuropil_path=tmp_path / "Fneu.npy", rate_hz=4, transpose=True)
    np.testing.assert_array_equal(other["neuropil"], dataset["neuropil"])
    assert "does not exist" in fault(path, "npy", **{**by_name, "time_dataset": "no.csv"})


def test_structs_and_cells_of_mat_files_are_reached_by_path(tmp_path):
    cells = np.empty(2, object)
    cells[:] = [{"calcium": VALUES[:, :1]}, {"calcium": VALUES[:, 1:2]}]
    scipy.io.savemat(tmp_path / "x.mat", {"data": cells})
    dataset = opened(tmp_path / "x.mat", "mat", rate_hz=1, dataset="data/1/calcium")
    np.testing.assert_allclose(dataset["fluorescence"][:, 0], VALUES[:, 1], rtol=1e-6)
    assert "'data/1' has no 'spikes'; it holds ('calcium',)" in fault(
        tmp_path / "x.mat", "mat", rate_hz=1, dataset="data/1/spikes"
    )


@pytest.mark.parametrize("header", ["time_s", "Time (s)", "Time(s)", "time", "t", "Timestamp [s]"])
def test_time_columns_are_known_by_name(tmp_path, header):
    rows = "\n".join(f"{5 + i / 8},{i},{i * i}" for i in range(20))
    (tmp_path / "x.csv").write_text(f"\ufeff{header},a,b\n{rows}\n", encoding="utf-8")
    dataset = opened(tmp_path / "x.csv", "csv")
    assert list(dataset["neuron"].values) == ["a", "b"]
    assert dataset.attrs["sampling_rate_hz"] == 8
    assert dataset["time"].values[0] == 5


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_tables_without_header_and_with_row_numbers(tmp_path, separator):
    rows = [[str(i), str(2 * i), str(i % 3)] for i in range(20)]
    (tmp_path / "bare.csv").write_text("\n".join(separator.join(r[1:]) for r in rows))
    assert list(opened(tmp_path / "bare.csv", "csv", rate_hz=1)["neuron"].values) == ["n0", "n1"]
    (tmp_path / "numbered.csv").write_text("\n".join(separator.join(r) for r in [["", "a", "b"], *rows]))
    assert list(opened(tmp_path / "numbered.csv", "csv", rate_hz=1)["neuron"].values) == ["a", "b"]


def test_inscopix_header_rejected_cells_and_missing_frames(tmp_path):
    lines = [" , C00, C01, C02", "Time(s)/Cell Status, rejected, accepted, undecided"]
    lines += [f"{i * 0.1}, 1, {i % 4}, {i % 3}" for i in range(30)]
    lines[10] = "0.8, , nan, "
    (tmp_path / "x.csv").write_text("\n".join(lines))
    dataset = opened(tmp_path / "x.csv", "csv")
    assert list(dataset["neuron"].values) == ["C01", "C02"]
    assert list(np.flatnonzero(dataset["dropped"])) == [8]
    assert json.loads(dataset.attrs["history"])[1]["parameters"]["columns_left_out"] == ["C00"]
    lines[1] = "Time(s)/Cell Status, rejected, rejected, rejected"
    (tmp_path / "x.csv").write_text("\n".join(lines))
    assert "has 3 cells, and accepts none of them" in fault(tmp_path / "x.csv", "csv")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a,b\n1,2\n3,oops\n", "'oops' in column 'b', data row 2"),
        ("time_ms,a\n0,1\n100,2\n", "time in a unit that is not known"),
        ("index,a\n0,1\n0.5,2\n2,3\n", "neither named as time nor a count"),
        ("a,b\n1,2\n3,4\n", "frame rate is not known"),
        ("time,a\n0,1\n100,2\n200,1\n", "median step between frame times is 100"),
        ("a,a\n1,2\n3,4\n5,6\n", "more than once: a"),
        ("", "cannot be read as csv"),
    ],
)
def test_faults_of_csv_files(tmp_path, text, expected):
    (tmp_path / "x.csv").write_text(text)
    given = {"rate_hz": 1} if "a,a" in text else {}
    found = fault(tmp_path / "x.csv", "csv", **given)
    assert expected in found
    assert "x.csv" in found or "a,a" in text


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"dataset": "traces/df"}, "no dataset 'traces/df'; it holds"),
        ({"dataset": "traces/df"}, "traces/dff (40, 3)"),
        ({}, "2 arrays to choose from"),
        ({"dataset": "traces/names"}, "expected numbers"),
        ({"dataset": "traces/dff", "time_dataset": "timing/all_frames"}, "60 values for 40 frames"),
        ({"dataset": "traces/dff", "time_dataset": "timing/no"}, "timing/all_frames (60,)"),
        (
            {"dataset": "traces/dff", "rate_hz": 2, "neuropil_dataset": "timing/t"},
            "neuropil has shape (40,), 1 neurons; fluorescence has 3",
        ),
        ({"dataset": "traces/dff", "rate_hz": "fast"}, "rate_hz: is 'fast'"),
        ({"dataset": "traces/dff", "transpose": "maybe"}, "transpose is 'maybe'"),
        ({"dataset": "traces/dff"}, "frame rate is not known"),
        ({"dataset": "traces/dff", "rate_hz": 5, "time_dataset": "timing/t"}, "0.5 s (2 Hz)"),
    ],
)
def test_faults_of_hdf5_files(tmp_path, options, expected):
    assert expected in fault(write_hdf5(tmp_path / "x.h5"), "hdf5", **options)


def test_orientation_has_to_be_confirmed_when_it_looks_wrong(tmp_path):
    path = write_npy(tmp_path / "F.npy", VALUES.T)
    text = fault(path, "npy", rate_hz=1)
    assert "3 frames of 40 neurons" in text
    assert "set transpose to true" in text
    assert opened(path, "npy", rate_hz=1, transpose=True).sizes == {"time": 40, "neuron": 3}
    assert opened(path, "npy", rate_hz=1, transpose="false").sizes == {"time": 3, "neuron": 40}


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ("neuron,x\nn0,1\n", "has no column y"),
        ("neuron,x,y\nn0,1,1\nn1,2,2\n", "no position of 1 neurons (n2)"),
        ("neuron,x,y\nn0,1,1\nn1,2,2\nn1,2,2\nn2,3,3\n", "names a neuron twice"),
        ("neuron,x,y\nn0,left,1\nn1,2,2\nn2,3,3\n", "must be numbers in mm"),
        ("neuron,x,y\nn0,320,1\nn1,2,2\nn2,3,3\n", "give positions in mm"),
        ("", "where.csv: is not a table"),
        ("\n\n", "where.csv: is not a table"),
    ],
)
def test_faults_of_positions(tmp_path, table, expected):
    (tmp_path / "where.csv").write_text(table)
    path = write_npy(tmp_path / "x.npy")
    assert expected in fault(path, "npy", rate_hz=1, positions="where.csv")


def test_wrong_files_and_formats_are_named(tmp_path):
    path = write_npy(tmp_path / "x.npy")
    assert "does not exist" in fault(tmp_path / "y.npy", "npy")
    assert "is a folder" in fault(tmp_path, "npy")
    assert "cannot be read as hdf5" in fault(path, "hdf5")
    assert "cannot be read as mat" in fault(path, "mat", dataset="x")
    assert f"format: 'tiff' is not one of {', '.join(READERS)}" in fault(path, "tiff")
    np.save(tmp_path / "objects.npy", np.array([{}], object), allow_pickle=True)
    assert "holds object values, expected numbers" in fault(tmp_path / "objects.npy", "npy")
    assert "expected two dimensions" in fault(write_npy(tmp_path / "cube.npy", np.zeros((4, 5, 6))), "npy")
    (tmp_path / "x.csv").write_text("a,b\n1,2\n3,4\n")
    assert "transpose is set" in fault(tmp_path / "x.csv", "csv", transpose=True)
    with pytest.raises(PhiscaleError, match="ending is not known"):
        arrays.read(tmp_path / "x.xls")


def test_quoted_names_may_hold_the_separator(tmp_path):
    (tmp_path / "x.csv").write_text('"cell 1, left",b\n1,2\n3,4\n5,6\n')
    dataset = opened(tmp_path / "x.csv", "csv", rate_hz=1)
    assert list(dataset["neuron"].values) == ["cell 1, left", "b"]


def test_links_are_followed_and_matrices_are_no_vectors(tmp_path):
    path = write_hdf5(tmp_path / "x.h5")
    with h5py.File(path, "a") as file:
        file["best"] = h5py.SoftLink("/traces/dff")
    assert opened(path, "hdf5", rate_hz=1, dataset="best").sizes["neuron"] == 3
    text = fault(path, "hdf5", dataset="best", time_dataset="traces/dff")
    assert "'traces/dff' holds shape (40, 3), expected one dimension" in text


def test_na_is_a_region_and_a_missing_position_is_none(tmp_path):
    table = "neuron,x,y,region\nn0,0.1,0.2,NA\nn1,NA,,null\nn2,0.3,0.4\n"
    (tmp_path / "where.csv").write_text(table)
    dataset = opened(write_npy(tmp_path / "x.npy"), "npy", rate_hz=1, positions="where.csv")
    assert list(dataset["region"].values) == ["NA", "null", ""]
    np.testing.assert_array_equal(dataset["x"], [0.1, np.nan, 0.3])
    np.testing.assert_array_equal(dataset["y"], [0.2, np.nan, 0.4])


def test_real_inscopix_export(data_dir):
    folder = data_dir / "inscopix_csv"
    dataset = opened(next(folder.glob("*Raw.csv")), "csv")
    assert dataset.sizes == {"time": 17220, "neuron": 11}
    assert dataset.attrs["sampling_rate_hz"] == pytest.approx(10, abs=0.01)
    assert int(dataset["dropped"].sum()) == 9
    assert "'C04' in column 'Cell Name'" in fault(next(folder.glob("*Spikes.csv")), "csv")


def test_real_suite2p_arrays(data_dir):
    path = data_dir / "suite2p_plane0" / "F.npy"
    given = {"transpose": "true", "neuropil_dataset": "Fneu.npy"}
    assert "fill in rate_hz" in fault(path, "npy", **given)
    dataset = opened(path, "npy", rate_hz="30", **given)
    assert dataset.sizes == {"time": 2000, "neuron": 219}
    assert "neuropil" in dataset


def test_real_irregular_worm_recordings(data_dir):
    folder = data_dir / "celegans_wholebrain"
    given = {"dataset": "gcamp/traces_array_F_F20", "time_dataset": "timing/timestamp_confocal"}
    dataset = opened(next(folder.glob("swf702*")), "hdf5", **given)
    assert dataset.sizes == {"time": 800, "neuron": 146}
    assert np.diff(dataset["time"]).std() > 0.01
    assert "1600 values for 1137 frames" in fault(next(folder.glob("swf415*")), "hdf5", **given)


def test_real_matlab_rois_without_signal(data_dir):
    path = next((data_dir / "suite2p_fall_mat").glob("*.mat"))
    dataset = opened(path, "mat", dataset="spks", rate_hz=5, transpose=True)
    assert dataset.sizes["neuron"] == 17
    assert '"n10"' in dataset.attrs["history"]
    assert "Fneu (24, 619)" in fault(path, "mat", rate_hz=5)


def test_frames_that_are_zero_in_all_neurons_are_never_guessed(tmp_path):
    values = np.random.default_rng(0).normal(size=(60, 12))
    values[:, 4] = np.nan
    values[20:30] = np.where(np.isnan(values[20:30]), np.nan, 0.0)
    path = write_npy(tmp_path / "F.npy", values)
    text = fault(path, "npy", rate_hz=1)
    assert "10 of 60 frames are exactly 0 in all 11 neurons" in text
    assert "set zero_frames to missing" in text
    assert "zero_frames is 'drop'" in fault(path, "npy", rate_hz=1, zero_frames="drop")
    assert opened(path, "npy", rate_hz=1, zero_frames="missing")["dropped"].values.nonzero()[0].tolist() == [
        *range(20, 30)
    ]
    assert not opened(path, "npy", rate_hz=1, zero_frames="values")["dropped"].values.any()
    silent = write_npy(tmp_path / "spikes.npy", np.abs(values))
    assert not opened(silent, "npy", rate_hz=1)["dropped"].values.any()
    few = write_npy(tmp_path / "few.npy", values[:, :4])
    assert not opened(few, "npy", rate_hz=1)["dropped"].values.any()
