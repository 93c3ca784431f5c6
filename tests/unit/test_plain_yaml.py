"""YAML with a limit on what a file can make of memory and time."""

import pytest

from spectral_capacity.config.messages import ConfigError
from spectral_capacity.config.parse import merged

BOMB = "a0: &a0 [x, x]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]\n" for i in range(1, 40))
MERGES = "a0: &a0 {x: 1}\n" + "".join(
    f"a{i}: &a{i} {{<<: [{', '.join([f'*a{i - 1}'] * 9)}]}}\n" for i in range(1, 30)
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (BOMB, r"more than 100,000 keys and values\n.*line \d+, column"),
        (MERGES, r"more than 100,000 keys and values"),
        ("a: &a [*a]", r"\*a stands for nothing that has ended"),
        ("a: &a {b: *a}", r"\*a stands for nothing that has ended"),
        ("[" * 10**6, "more than 30 lists and mappings inside of each other"),
        ("- " * 10**6, "more than 30 lists and mappings inside of each other"),
        ("{a: " * 10**6, "more than 30 lists and mappings inside of each other"),
        ("a: [" + "1," * 100_001 + "]", "more than 100,000 keys and values"),
        ("a: " + "x" * 10**7, "more than 10,000,000 bytes"),
        ("a: !!python/object/apply:os.system [touch hacked]", "the tag .*system' is not read"),
        ("a: !!python/name:os.system", "the tag .* is not read"),
        ("a: !mine x", "the tag '!mine' is not read"),
        ("a: !!set {b}", "the tag .*set' is not read"),
        ("a: !!bool x", "'x' cannot be read as bool"),
        ("a: 2001-02-30", r"'2001-02-30' cannot be read as timestamp\n.*line 1, column 4"),
        ("a: " + "9" * 5000, "'9{97}9* cannot be read as int"),
        ("a: \0", "control characters are not allowed"),
        ('a: "\\ud800"', "invalid Unicode character escape code"),
        (b"a: \xff", "cannot be read as YAML: 'utf-8' codec can't decode byte 0xff"),
        ("a: 1".encode("utf-16"), "cannot be read as YAML: 'utf-8' codec can't decode"),
        ("a:\n\t- b", "cannot be read as YAML"),
        ("a: 1\n---\na: 2", "but found another document"),
        ("", "must be a mapping of keys"),
    ],
    ids=range(23),
)
def test_a_file_of_yaml_that_is_more_than_a_configuration(tmp_path, text, message):
    path = tmp_path / "mine.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ConfigError, match=rf"(?s)mine\.yaml.*{message}") as error:
        merged([path])
    assert len(str(error.value)) < 1000


def test_anchors_tags_of_plain_values_and_a_byte_order_mark_are_read(tmp_path):
    path = tmp_path / "mine.yaml"
    text = "\ufeffa: &d [8, 16]\nb: {d: *d, <<: {x: !!float 1e-3}}\nc: !!str 3\n"
    path.write_text(text, encoding="utf-8")
    assert merged([path]) == {"a": [8, 16], "b": {"d": [8, 16], "x": 1e-3}, "c": "3"}


@pytest.mark.parametrize("key", ["1", "null", "true", "2001-01-01"])
def test_a_key_that_is_no_text_is_told_with_its_file(tmp_path, key):
    path = tmp_path / "mine.yaml"
    path.write_text(f"experiments: {{{key}: {{d: [8]}}}}")
    with pytest.raises(ConfigError, match=r"mine\.yaml: experiments: the key .* must be text"):
        merged([path])
