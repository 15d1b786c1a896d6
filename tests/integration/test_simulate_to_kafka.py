"""A simulated night arrives in Kafka as its truth says."""

from pathlib import Path

import pytest
import typer
from aiokafka import AIOKafkaConsumer, TopicPartition
from support.servers import need_apache, unique
from typer.testing import CliRunner

from ampeld.cli.simulate import simulate
from ampeld.demo.produce import ProduceError, create_topics, partition_of, produce
from ampeld.demo.simulate import SimulatedNights

pytestmark = pytest.mark.kafka


async def read(bootstrap: str, topic: str, partitions: int) -> dict[int, list[tuple[bytes, bytes]]]:
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    await consumer.start()
    try:
        every = [TopicPartition(topic, number) for number in range(partitions)]
        consumer.assign(every)
        await consumer.seek_to_beginning(*every)
        ends = await consumer.end_offsets(every)
        found: dict[int, list[tuple[bytes, bytes]]] = {number: [] for number in range(partitions)}
        while sum(map(len, found.values())) < sum(ends.values()):
            for partition, messages in (await consumer.getmany(timeout_ms=500)).items():
                found[partition.partition] += [(message.key, message.value) for message in messages]
        return found
    finally:
        await consumer.stop()


async def test_an_object_lies_in_its_partition_in_the_order_sent(kafka: str) -> None:
    nights = SimulatedNights(2, 120)
    topic = unique("ztf") + "_{night:%Y%m%d}"
    name = topic.format(night=nights.survey.start)
    await create_topics(kafka, [name], 4)
    counts: list[int] = []
    truth = await produce(nights, kafka, topic=topic, partitions=4, sent=counts.append)
    assert counts[-1] == 120
    found = await read(kafka, name, 4)
    for number, messages in found.items():
        expected = [(a.object.encode(), a.packet) for a in nights if partition_of(a.object, 4) == number]
        assert messages == expected
    assert {(row.topic, row.partition) for row in truth.rows()} == {(name, number) for number in range(4)}


async def test_spread_alerts_go_to_all_partitions_in_turn(kafka: str) -> None:
    topic = unique("ztf")
    await create_topics(kafka, [topic], 3)
    await produce(SimulatedNights(2, 31), kafka, topic=topic, partitions=3, spread=True, rate=2000)
    assert [len(messages) for messages in (await read(kafka, topic, 3)).values()] == [11, 10, 10]


async def test_a_topic_with_other_partitions_is_refused(kafka: str) -> None:
    topic = unique("ztf")
    await create_topics(kafka, [topic], 3)
    await create_topics(kafka, [topic], 3)
    with pytest.raises(ProduceError, match="with 3 partitions, not 4"):
        await create_topics(kafka, [topic], 4)


async def test_a_name_that_kafka_refuses_is_an_error_that_names_it(kafka: str) -> None:
    need_apache()  # Tansu takes any name
    with pytest.raises(ProduceError, match="not a topic"):
        await create_topics(kafka, ["not a topic"], 1)


def run(*arguments: str):
    app = typer.Typer()
    app.command()(simulate)
    return CliRunner().invoke(app, arguments)


def test_the_command_sends_a_night_and_writes_its_truth(kafka: str, tmp_path: Path) -> None:
    truth = tmp_path / "truth.json"
    options = ("--topic", unique("ztf"), "--alerts", "20", "--partitions", "2", "--truth", str(truth), "--json")
    result = run("--brokers", kafka, *options)
    assert result.exit_code == 0, result.output
    assert '"alerts": 20' in result.stdout
    assert truth.exists()


def test_the_command_fails_with_69_where_no_broker_answers() -> None:
    result = run("--brokers", "127.0.0.1:1", "--alerts", "5")
    assert result.exit_code == 69
    assert "no Kafka answers at 127.0.0.1:1" in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [(), ("--out", "a", "--brokers", "b"), ("--out", "a", "--topic", "{day}"), ("--out", "a", "--alerts", "0")],
)
def test_the_command_refuses_what_it_cannot_do(arguments: tuple[str, ...]) -> None:
    assert run(*arguments).exit_code == 2
