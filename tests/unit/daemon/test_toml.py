"""Every key has its line, whatever way it is written; mistakes name file and line."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ampeld.daemon.toml import TomlFile, _Scanner, dotted, read_toml
from ampeld.errors import ConfigError

DOCUMENT = '''\
# a comment with a = 1 and [brackets]
top = 1
"quoted key" = "a # no comment"
a.b = { c = 1, "d.e" = [1, 2] }  # trailing

[source]
brokers = [
  "one:1",  # the first ]
  "two:2",
]
text = """
[not.a.table]
key = "\\""" still
"""""
after = 'x'

[source.security]
password = { file = "secret" }

[[feature]]
unit = "A"
[[feature]]
unit = "B"
[feature.params]
k = 1
[[feature.cut]]
name = \'\'\'
x\'\'\'
[[feature.cut]]
name = 1979-05-27T07:32:00Z
'''


def write(tmp_path: Path, text: str | bytes) -> Path:
    path = tmp_path / "some.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.fixture
def document(tmp_path: Path) -> TomlFile:
    return read_toml(write(tmp_path, DOCUMENT))


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        (("top",), 2),
        (("quoted key",), 3),
        (("a",), 4),
        (("a", "b", "c"), 4),
        (("a", "b", "d.e", 1), 4),
        (("source",), 6),
        (("source", "brokers"), 7),
        (("source", "brokers", 1), 9),
        (("source", "text"), 11),
        (("source", "after"), 15),
        (("source", "security"), 17),
        (("source", "security", "password", "file"), 18),
        (("feature",), 20),
        (("feature", 0, "unit"), 21),
        (("feature", 1), 22),
        (("feature", 1, "unit"), 23),
        (("feature", 1, "params", "k"), 25),
        (("feature", 1, "cut", 0, "name"), 27),
        (("feature", 1, "cut", 1, "name"), 30),
        (("not",), None),
        (("source", "brokers", 2), None),
    ],
)
def test_every_key_has_its_line(document: TomlFile, keys: tuple[str | int, ...], line: int | None) -> None:
    assert document.line(*keys) == line


def test_windows_line_ends_count_like_others(tmp_path: Path) -> None:
    document = read_toml(write(tmp_path, DOCUMENT.replace("\n", "\r\n")))
    assert document.line("feature", 1, "cut", 1, "name") == 30


def test_a_problem_names_file_line_and_key(document: TomlFile) -> None:
    assert document.problem("is odd", "source", "brokers", 1) == f"{document.path}:9: source.brokers[1]: is odd"


def test_a_problem_with_an_absent_key_names_the_line_of_its_table(document: TomlFile) -> None:
    assert document.problem("is missing", "source", "group") == f"{document.path}:6: source.group: is missing"


def test_a_problem_of_the_whole_names_the_file_only(document: TomlFile) -> None:
    assert document.problem("is empty") == f"{document.path}: is empty"
    assert document.problem("is missing", "status") == f"{document.path}: status: is missing"


def test_odd_keys_are_quoted_in_messages() -> None:
    assert dotted("a", "b c", 3, "d") == "a.'b c'[3].d"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a = 1\nb = = 2\n", ":2: "),
        ("a = 1\na = 2\n", ":2: "),
        ("a = 1\n\nb = [1,\n", ":4: "),
        (b"a = 1\nb = '\xff'\n", ":2: not UTF-8"),
        ("a = " + "[" * 9000, "nested too deeply"),
    ],
)
def test_what_is_no_toml_names_file_and_line(tmp_path: Path, text: str | bytes, place: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        read_toml(path)
    assert len(caught.value.problems) == 1
    assert caught.value.problems[0].startswith(str(path))
    assert place in caught.value.problems[0]


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"absent\.toml: cannot be read: No such file"):
        read_toml(tmp_path / "absent.toml")
    with pytest.raises(ConfigError, match="Is a directory"):
        read_toml(tmp_path)


def paths_of(value: object, path: tuple[str | int, ...] = ()) -> set[tuple[str | int, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return set().union(*({(*path, key)} | paths_of(child, (*path, key)) for key, child in items))


names = st.text(st.sampled_from("ab.#[]='\" \\"), min_size=1, max_size=4)
scalars = st.one_of(st.integers(), st.booleans(), st.text(st.sampled_from("ab#[]{}='\", \\\n"), max_size=6))
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3), max_leaves=8
)


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def written(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str():
            return quoted(value)
        case list():
            return "[ # ] here\n" + ",\n".join(map(written, value)) + "]"
        case dict():
            return "{" + ", ".join(f"{quoted(key)} = {written(child)}" for key, child in value.items()) + "}"
        case _:
            return str(value)


@given(st.dictionaries(names, values, max_size=5))
def test_the_scanner_finds_exactly_the_keys_that_the_parser_finds(document: dict[str, object]) -> None:
    text = "".join(f"{quoted(key)} = {written(value)}\n" for key, value in document.items())
    scanner = _Scanner(text)
    scanner.scan()
    assert set(scanner.lines) == paths_of(tomllib.loads(text))
