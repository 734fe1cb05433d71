import numpy as np
import pytest

from pipeline.base.errors import PhiscaleError
from pipeline.base.recording import Origin, build, frames_of
from pipeline.ingest.statecodes import read_codes, windows, windows_from_codes

SLEEP = {1: "wake", 2: "nrem", 3: "rem"}


def a_recording(n_frames=100, rate=10.0, start=0.0, time=None):
    return build(
        np.ones((n_frames, 2)),
        time=start + np.arange(n_frames) / rate if time is None else time,
        sampling_rate_hz=rate,
        origin=Origin(recording="007", subject="m"),
    )


def row(tmp_path, codes, **options):
    np.save(tmp_path / "codes.npy", np.asarray(codes, float))
    return {"recording": "007", "state_codes": tmp_path / "codes.npy", **options}


def test_bouts_become_segments_of_one_window_per_condition():
    codes = [1, 1, 1, 2, 2, np.nan, 2, 2, 9, 9, 3, 3, 3, 3]
    table = windows_from_codes(np.array(codes), 2.0, SLEEP, start_s=10)
    assert table["window"].tolist() == ["wake", "nrem", "nrem", "rem"]
    assert table["condition"].tolist() == table["window"].tolist()
    assert table["start_s"].tolist() == [10.0, 11.5, 13.0, 15.0]
    assert table["end_s"].tolist() == [11.5, 12.5, 14.0, 17.0]


def test_codes_of_the_same_condition_are_one_bout():
    table = windows_from_codes(np.array([2, 3, 3, 2, 1]), 1.0, {1: "wake", 2: "sleep", 3: "sleep"})
    assert table[["condition", "start_s", "end_s"]].to_numpy().tolist() == [
        ["sleep", 0.0, 4.0],
        ["wake", 4.0, 5.0],
    ]


def test_short_bouts_are_left_out_before_the_ends_are_cut():
    codes = np.repeat([1, 2, 1, 3], [4, 10, 5, 6])
    table = windows_from_codes(codes, 1.0, SLEEP, min_bout_s=5, trim_s=2.5)
    assert table[["condition", "start_s", "end_s"]].to_numpy().tolist() == [
        ["nrem", 6.5, 11.5],
        ["rem", 21.5, 22.5],
    ]  # the second wake bout is long enough, but nothing is left of it


def test_nan_around_the_imaging_is_cut_off(tmp_path):
    codes = np.concatenate([np.full(512, np.nan), np.repeat([1, 2], 512 * 5), np.full(99, np.nan)])
    found, rate, cut = read_codes(row(tmp_path, codes, state_rate_hz="512"))
    assert (len(found), rate, cut) == (5120, 512, 1.0)
    table = windows(row(tmp_path, codes, state_rate_hz=512), a_recording(start=50), SLEEP)
    assert table["recording"].tolist() == ["007", "007"]
    assert table["start_s"].tolist() == [50.0, 55.0]
    assert table["end_s"].tolist() == [55.0, 60.0]
    masks = frames_of(table, a_recording(start=50)["time"].values)
    assert [int(mask.sum()) for mask in masks.values()] == [50, 50]


def test_codes_end_with_the_recording(tmp_path):
    codes = np.repeat([1, 2], [55, 60])
    table = windows(row(tmp_path, codes, state_rate_hz=10), a_recording(), SLEEP)
    assert table["end_s"].tolist() == pytest.approx([5.5, 10.0])


def test_one_code_per_frame_follows_irregular_times(tmp_path):
    time = np.cumsum(np.random.default_rng(0).uniform(0.5, 0.7, 100))
    codes = np.repeat([1, 2, 1], [30, 40, 30])
    recording = a_recording(rate=1 / 0.6, time=time)
    table = windows(row(tmp_path, codes), recording, SLEEP)
    masks = frames_of(table, time)
    np.testing.assert_array_equal(masks["wake"], codes == 1)
    np.testing.assert_array_equal(masks["nrem"], codes == 2)


@pytest.mark.parametrize(
    ("codes", "options", "expected"),
    [
        (np.ones(90), {}, "90 codes for 100 frames"),
        (np.ones(400), {"state_rate_hz": 10}, "codes last 40.0 s, the imaging 10.0 s"),
        ([np.nan, *np.ones(60)], {"state_rate_hz": 10}, "codes last 6.0 s, the imaging 10.0 s"),
        (np.full(100, 7), {"state_rate_hz": 10}, "the codes are 7"),
        (np.full(100, np.nan), {"state_rate_hz": 10}, "only NaN"),
        (np.ones(100), {"state_rate_hz": "0"}, "state_rate_hz: is '0'"),
    ],
)
def test_codes_that_do_not_fit_are_refused(tmp_path, codes, options, expected):
    with pytest.raises(PhiscaleError) as caught:
        windows(row(tmp_path, codes, **options), a_recording(), SLEEP)
    assert expected in str(caught.value)
    assert "recording '007'" in str(caught.value)
