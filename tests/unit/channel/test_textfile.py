from ampeld.channel.textfile import TextFile, file_parameters, fill_in

PARAMS = {"objects": {"file": "watch.txt"}, "names": ["a"], "limits": {"file": 3}, "more": {"file": "x", "y": 1}}


def test_only_a_table_with_a_file_and_nothing_else_names_one():
    assert file_parameters(PARAMS) == {"objects": "watch.txt"}


def test_the_text_comes_in_the_place_of_the_name():
    filled = fill_in(PARAMS, {"watch.txt": "a\n", "x": "b"})
    assert filled == PARAMS | {"objects": TextFile("watch.txt", "a\n")}


def test_a_file_that_is_not_there_is_left_as_it_is():
    assert fill_in(PARAMS, {}) == PARAMS


def test_lines_keep_their_numbers_without_comments_and_gaps():
    assert list(TextFile("f", "# a\n\n b # c\nd").lines()) == [(3, "b"), (4, "d")]


def test_a_text_is_not_printed_whole():
    assert repr(TextFile("watch.txt", "secret" * 1000)) == "<TextFile 'watch.txt' of 6000 characters>"
