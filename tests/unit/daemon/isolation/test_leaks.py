from ampeld.daemon.isolation.leaks import Leaks
from ampeld.daemon.isolation.messages import Answer, Result

MB = 1024


def batch(memory_kb, *grown):
    results = [Result(i, [], [], 1, kb, "", 0) for i, kb in enumerate(grown)]
    return Answer(1, b"", results, [], memory_kb, [])


def noted(limit_mb, *batches):
    leaks = Leaks(limit_mb * MB)
    for each in batches:
        leaks.note(each)
    return leaks


def test_who_keeps_memory_is_found_among_those_that_only_use_it():
    leaks = noted(100, *(batch(i * 8 * MB, 0, 8 * MB, 0) for i in range(8)))
    assert leaks.is_full
    assert leaks.culprit == (1, 56 * MB)


def test_columns_that_are_gone_after_the_batch_are_nobodys():
    leaks = noted(100, *(batch(1 * MB, 40 * MB, 0) for _ in range(50)))
    assert not leaks.is_full
    assert leaks.culprit is None or leaks.culprit[1] <= 1 * MB


def test_a_leak_beside_shared_columns_is_shared_out_by_what_grew():
    leaks = noted(100, *(batch(i * 10 * MB, 1 * MB, 10 * MB) for i in range(7)))
    number, kept = leaks.culprit
    assert number == 1
    assert 50 * MB < kept < 60 * MB


def test_where_all_keep_a_little_nobody_is_to_blame():
    leaks = noted(100, *(batch(i * 9 * MB, 3 * MB, 3 * MB, 3 * MB) for i in range(7)))
    assert leaks.is_full
    assert leaks.culprit is None


def test_memory_that_grew_in_no_channel_is_nobodys():
    leaks = noted(10, batch(0, 0), batch(9 * MB, 0))
    assert leaks.is_full
    assert leaks.culprit is None
