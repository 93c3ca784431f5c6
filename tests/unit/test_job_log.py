import re

import pytest

from spectral_capacity.results.job_log import add_to_log, job_log, seconds_of


def test_a_log_says_what_how_far_and_how_long(tmp_path):
    with job_log(tmp_path / "deep/x.log", "train_memory", {"d": 8}) as report:
        report("seed 0 done")
    text = (tmp_path / "deep/x.log").read_text()
    assert "train_memory: d 8" in text
    assert "seed 0 done" in text
    assert re.search(r"CPU: \d+\.\d\d s before this, \d+\.\d\d s for it\n", text)
    assert "done in" in text


def test_how_long_a_job_took_is_read_off_its_log(tmp_path):
    path = tmp_path / "x.log"
    assert seconds_of(path) is None
    with job_log(path, "train_memory", {}):
        pass
    assert 0 <= seconds_of(path) < 1000
    path.write_text("12:00:00  seed 0 done\n12:02:05  done in 125.25 s\n")
    assert seconds_of(path) == 125.25
    add_to_log(path, "train_memory", "was ended")
    assert seconds_of(path) is None


def test_a_failure_is_logged_with_its_traceback_and_coordinates(tmp_path, capsys):
    def fail():
        with job_log(tmp_path / "x.log", "train_memory", {"alpha": 1.5}):
            error = ValueError("the reason")
            error.add_note("seed 3")
            raise error

    with pytest.raises(SystemExit) as stop:
        fail()
    assert stop.value.code == 1
    text = (tmp_path / "x.log").read_text()
    assert "Traceback" in text
    assert "ValueError: the reason" in text
    assert "seed 3" in text
    shown = capsys.readouterr().err
    assert "train_memory: the reason (seed 3)" in shown
    assert str(tmp_path / "x.log") in shown
    assert (text + shown).count("alpha 1.5") == 1  # Snakemake shows both


def test_a_log_that_cannot_be_written_stops_nothing(tmp_path, capsys):
    (tmp_path / "logs").write_text("no folder")
    done = []
    with job_log(tmp_path / "logs/x.log", "train_memory", {"d": 8}) as report:
        report("seed 0 done")
        done.append(8)
    assert done == [8]
    assert f"{tmp_path}/logs/x.log: no log" in capsys.readouterr().err
