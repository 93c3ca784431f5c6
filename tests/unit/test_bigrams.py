"""Tables of bigrams: read, checked, and known to a cell by what they say."""

import numpy as np
import pytest

from spectral_capacity.config.messages import ConfigError
from spectral_capacity.config.parse import parse
from spectral_capacity.incontext.cell import train_cell
from spectral_capacity.sampling.bigrams import bigrams_digest, known_bigrams, read_bigrams
from tests.unit.configurations import ROOT, cells, merged

TABLE = ROOT / "data/as_you_like_it.csv"
THREE = 'previous,next,count\nb,a,1\nb,b,3\na,"say ""c""",2\n"say ""c""",a,0.5\n'


@pytest.fixture
def write(tmp_path):
    def make(text, name="bigrams.csv"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return make


def experiment(**changes):
    """The experiment of config/birth.yaml, with changes."""
    given = merged("birth")
    given["experiments"] = {"birth": given["experiments"]["birth"] | changes}
    given["figures"] = {"formats": ["png"]}
    return parse(given, root=ROOT)


def test_rows_are_previous_tokens_in_their_order(write):
    tokens, p = read_bigrams(write("# made by hand\n\n" + THREE))
    assert tokens == ["b", "a", 'say "c"']
    np.testing.assert_allclose(p, [[0.75, 0.25, 0], [0, 0, 1], [0, 1, 0]], rtol=1e-15)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "needs the columns previous, next, count"),
        ("previous,next\na,a\n", "needs the columns"),
        ("previous,next,count\n", "no rows below the header"),
        ("previous,next,count\na,a,1\na,a,2\n", "line 3: the pair 'a', 'a' is there twice"),
        ("previous,next,count\na,b,1\n", "nothing comes after 'b'"),
        ("previous,next,count\na,a,-1\n", "line 2: count is '-1'; must be positive"),
        ("previous,next,count\na,a,few\n", "line 2: count is 'few', not a number"),
        ("previous,next,count\n,,,1\n", "line 2: 4 fields"),
    ],
)
def test_what_is_no_table_is_told_with_its_line(write, text, message):
    with pytest.raises(ValueError, match=message):
        read_bigrams(write(text))


def test_a_cell_knows_a_table_by_what_it_says(write):
    digest = bigrams_digest(read_bigrams(write(THREE))[1])
    renamed = write("# another comment\n" + THREE.replace("b", "x"), "renamed.csv")
    assert known_bigrams(renamed, digest).shape == (3, 3)
    other = write(THREE.replace("3", "4"), "other.csv")
    with pytest.raises(ValueError, match=r"other\.csv: its counts have changed"):
        known_bigrams(other, digest)


def test_the_shipped_table_is_the_noise_of_its_configuration():
    (cell, *_) = cells(experiment(), "birth")
    assert cell.settings()["noise"] == bigrams_digest(read_bigrams(TABLE)[1])
    assert read_bigrams(TABLE)[0][0] == "space"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"noise": {"file": "none.csv"}}, "noise.file: 'none.csv': no such file"),
        ({"noise": {"file": "data/english_words.csv"}}, "noise.file: .*needs the columns"),
        ({"noise": {"file": str(TABLE), "alpha": 1.0}}, "noise.alpha: 1.0: leave it out"),
        ({"vocabulary": 60}, "vocabulary: 60: must be that of data/as_you_like_it.csv, 68"),
        ({"noise": {"alpha": -1.0}}, "noise.alpha: -1.0"),
    ],
)
def test_mistakes_are_told_before_anything_runs(changes, message):
    with pytest.raises(ConfigError, match=message):
        experiment(**changes)


def trained(noise, table=None):
    small = {"noise": noise, "length": 12, "pairs": 2, "d": [8], "batch_size": [4], "seeds": 2}
    small |= {"vocabulary": 68, "iterations": [3], "held_out": 128, "optimizers": ["birth_sgd"]}
    small["learning_rates"] = {"birth_sgd": [0.1]}
    (cell,) = cells(experiment(**small), "birth")
    return train_cell(cell.settings(), table=table)


@pytest.mark.slow
def test_noise_is_what_the_configuration_says():
    alone, steep = trained({"alpha": 0.0}), trained({"alpha": 3.0})
    pairs = trained({"file": str(TABLE)}, TABLE)
    losses = [found["loss_id"][0, 0, 0] for found in (alone, steep, pairs)]
    assert np.isfinite(losses).all()
    assert len(set(losses)) == 3
    with pytest.raises(ValueError, match="goes with a table"):
        trained({"file": str(TABLE)})
