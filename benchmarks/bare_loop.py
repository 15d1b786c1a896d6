"""The measure of every rate: aiokafka as it comes, with its default settings and CRC check, and nothing done."""

import json
import sys
import time

import uvloop
from aiokafka import AIOKafkaConsumer


async def read(kafka: str, topic: str, count: int) -> dict[str, float]:
    """Read a topic and throw it away; return the seconds it took, of the clock and of the processor."""
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=kafka, auto_offset_reset="earliest")
    await consumer.start()
    began, cpu, seen = time.monotonic(), time.process_time(), 0
    while seen < count:
        seen += sum(map(len, (await consumer.getmany(timeout_ms=1000)).values()))
    numbers = {"seconds": time.monotonic() - began, "cpu": time.process_time() - cpu}
    await consumer.stop()
    return numbers


if __name__ == "__main__":
    print(json.dumps(uvloop.run(read(sys.argv[1], sys.argv[2], int(sys.argv[3])))))
