import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from spectral_capacity.sampling.frequencies import (
    frequencies_digest,
    from_counts,
    item_frequencies,
    power_law,
    read_counts,
    tail_exponent,
)

DATA = Path(__file__).parents[2] / "data"
WORDS = DATA / "english_words.csv"


@pytest.fixture
def table(tmp_path):
    def write(text, encoding="utf-8"):
        path = tmp_path / "table.csv"
        path.write_bytes(text.encode(encoding))
        return path

    return write


def test_counts_come_back_sorted_whatever_else_the_table_holds(table):
    counts = read_counts(table("rank,count,word\n1,5,the\n2,70,of\n3,0.5,and\n4,1e3,to\n"))
    assert counts.dtype == np.float64
    assert counts.tolist() == [1000, 70, 5, 0.5]


def test_equal_counts_and_equal_names_stay_apart(table):
    assert read_counts(table("word,count\na,3\na,3\nb,9\nc,3\n")).tolist() == [9, 3, 3, 3]


def test_quoted_fields_may_hold_commas_quotes_and_line_ends(table):
    text = 'word,count\n"1,000",4\n"say ""so""",3\n"two\nlines",2\n"plain","1"\n'
    assert read_counts(table(text)).tolist() == [4, 3, 2, 1]


def test_comments_are_above_the_header_only(table):
    text = '# of a corpus\n\n# with, commas and a "\nword,count\n#,7\n#tag,8\n\n'
    assert read_counts(table(text)).tolist() == [8, 7]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_marks_and_line_ends_of_other_systems(table, encoding, end):
    text = end.join(["count, word", "2,é", "3,\u2028", ""])
    assert read_counts(table(text, encoding)).tolist() == [3, 2]


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", 1, r"the header is \[\]; it needs one column named 'count'"),
        ("# only\n", 2, r"the header is \[\]"),
        ("word,n\na,1\n", 1, r"the header is \['word', 'n'\]; it needs one column named 'count'"),
        ("# c\ncount,count\n1,2\n", 2, r"the header is \['count', 'count'\]; it needs one"),
        ("word,count\na,1\nb,many\n", 3, "count is 'many', not a number; must be positive and"),
        ("word,count\na,\n", 2, "count is '', not a number"),
        ('# c\nword,count\na,"1,000"\n', 3, "count is '1,000', not a number"),
        ("word,count\na,0\n", 2, "count is '0'; must be positive and finite"),
        ("word,count\n\na,-3\n", 3, "count is '-3'; must be positive and finite"),
        ("word,count\na,nan\n", 2, "count is 'nan'; must be positive and finite"),
        ("word,count\na,1e999\n", 2, "count is '1e999'; must be positive and finite"),
        ("word,count\n1,000,5\n", 2, r"3 fields, \['1', '000', '5'\]; the header has 2"),
        ("word,count\na\n", 2, r"1 fields, \['a'\]; the header has 2"),
        ('word,count\na,1\n",5\nb,2\n', 4, "unexpected end of data"),
    ],
)
def test_a_wrong_table_is_named_with_line_and_value(table, text, line, message):
    path = table(text)
    with pytest.raises(ValueError, match=message) as error:
        read_counts(path)
    assert str(error.value).startswith(f"{path}, line {line}: ")


@pytest.mark.parametrize("text", ["word,count\n", "# c\nword,count\n\n"])
def test_a_table_without_rows(table, text):
    path = table(text)
    with pytest.raises(ValueError, match="no rows below the header; at least one") as error:
        read_counts(path)
    assert str(path) in str(error.value)


def test_a_table_in_another_encoding(table):
    with pytest.raises(ValueError, match=r"table\.csv: not UTF-8 text"):
        read_counts(table("word,count\né,1\n", "latin-1"))


def test_a_missing_table(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_counts(tmp_path / "none.csv")


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64, np.int32, np.uint8])
def test_the_most_frequent_are_kept(dtype):
    counts = np.array([1, 4, 100, 2, 4], dtype=dtype)
    p = from_counts(counts, 4)
    assert p.dtype == np.float64
    np.testing.assert_allclose(p, np.array([100, 4, 4, 2]) / 110, rtol=1e-15)
    assert p[1] == p[2]
    assert counts.tolist() == [1, 4, 100, 2, 4]


def test_large_counts_do_not_overflow():
    np.testing.assert_allclose(from_counts(np.array([1e308, 1e308, 1e308]), 3), 1 / 3)


@pytest.mark.parametrize("n_items", [-1, 0, 4])
def test_no_more_items_than_counts(n_items):
    with pytest.raises(ValueError, match=rf"n_items is {n_items}; there are 3 counts, so 1 to 3"):
        from_counts(np.array([3.0, 2.0, 1.0]), n_items)


@pytest.mark.parametrize("alpha", [0.0, 0.7, 1.0, 1.5, 3.0])
@pytest.mark.parametrize("first_rank", [1, 7, 1999])
def test_the_exponent_of_a_power_law_is_found(alpha, first_rank):
    p = power_law(2000, alpha)
    assert tail_exponent(p, first_rank) == pytest.approx(alpha, abs=1e-10)
    assert tail_exponent(1e6 * p, first_rank) == pytest.approx(alpha, abs=1e-10)


def test_what_comes_before_the_first_rank_plays_no_part():
    p = power_law(500, 1.5)
    p[:9] = 1.0
    assert tail_exponent(p, 10) == pytest.approx(1.5, abs=1e-10)
    assert tail_exponent(p, 9) != pytest.approx(1.5, abs=1e-3)


def test_each_decade_counts_the_same():
    # log p is a parabola in log rank: any weighting that is even in log rank has the slope in the
    # middle, log rank = log(10,000)/2, where it is 2c log(100); even in rank it is near 2c log(10,000).
    log_ranks = np.log(np.arange(1, 10_001))
    middle = 0.2 * np.log(100)
    assert tail_exponent(np.exp(-0.1 * log_ranks**2), 1) == pytest.approx(middle, rel=1e-3)


@pytest.mark.parametrize("first_rank", [-1, 0, 5, 6])
def test_a_slope_needs_two_ranks(first_rank):
    with pytest.raises(ValueError, match=rf"first_rank is {first_rank}; there are 5 .* 1 to 4 is"):
        tail_exponent(power_law(5, 1.0), first_rank)


@pytest.mark.parametrize("wrong", [0.0, -1.0, np.nan, np.inf])
def test_only_positive_frequencies_have_a_logarithm(wrong):
    p = power_law(5, 1.0)
    p[3] = wrong
    with pytest.raises(ValueError, match=rf"p of item 4 is {wrong}; must be positive and finite"):
        tail_exponent(p, 2)


def test_one_entry_point(table):
    np.testing.assert_array_equal(item_frequencies(9, 1.5), power_law(9, 1.5))
    path = table("word,count\na,1\nb,3\nc,2\n")
    for name in (path, str(path)):
        np.testing.assert_allclose(item_frequencies(2, 1.5, name), [0.6, 0.4])
    with pytest.raises(ValueError, match=r"table\.csv: n_items is 4; there are 3 counts"):
        item_frequencies(4, 1.5, path)


def test_the_english_words():
    counts = read_counts(WORDS)
    assert counts.shape == (50_000,)
    assert (counts > 0).all()
    assert (np.diff(counts) <= 0).all()
    p = item_frequencies(50_000, 1.5, WORDS)
    assert p.sum() == pytest.approx(1, abs=1e-12)
    np.testing.assert_allclose(p, counts / counts.sum(), rtol=1e-12)


def test_the_readme_describes_the_english_words():
    readme = (DATA / "README.md").read_text(encoding="utf-8")
    assert hashlib.sha256(WORDS.read_bytes()).hexdigest() in readme
    p = item_frequencies(50_000, 1.5, WORDS)
    ranges = [(1, 10), (10, 100), (100, 1000), (1000, 10_000), (10_000, 50_000)]
    local = " | ".join(f"{tail_exponent(p[:last], first):.2f}" for first, last in ranges)
    assert f"| α | {local} | **{tail_exponent(p, 100):.2f}** |" in readme
    assert f"cut at 10,000 words has {tail_exponent(p[:10_000], 100):.2f}" in readme


def test_frequencies_need_only_numpy():
    code = "import spectral_capacity.sampling.frequencies, sys; print(*sys.modules)"
    modules = subprocess.run(
        [sys.executable, "-c", code], cwd=DATA.parent, capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"jax", "scipy", "pandas", "xarray"} & {*modules}


def test_a_table_that_changed_is_not_taken_for_the_one_that_was_planned(tmp_path):
    table = tmp_path / "counts.csv"
    table.write_text("count\n5\n3\n2\n")
    digest = frequencies_digest(item_frequencies(3, 1.5, table))
    np.testing.assert_array_equal(item_frequencies(3, 1.5, table, digest), [0.5, 0.3, 0.2])
    table.write_text("count\n6\n3\n2\n")
    with pytest.raises(ValueError, match=r"counts\.csv: its counts have changed"):
        item_frequencies(3, 1.5, table, digest)
