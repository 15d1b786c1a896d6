"""Simulated alerts reach files in order, and objects have the partition that Kafka would give them."""

from ampeld.demo.produce import partition_of, write_directory


def test_partitions_are_those_of_kafkas_own_partitioner():
    # Oracle: org.apache.kafka.common.utils.Utils, toPositive(murmur2(key)) % partitions.
    assert [partition_of(name, 16) for name in ("ZTF18abxhyqv", "ZTF25aaaaaaa", "ZTF19zzzzzzz")] == [12, 15, 12]


def test_files_sorted_by_name_are_in_the_order_sent(sent, tmp_path):
    counts = []
    truth = write_directory((alert for alert, _ in sent[:30]), tmp_path / "night", sent=counts.append)
    files = sorted((tmp_path / "night").iterdir())
    assert [file.read_bytes() for file in files] == [alert.packet for alert, _ in sent[:30]]
    assert counts == list(range(1, 31))
    assert sum(row.alerts for row in truth.rows()) == 30
