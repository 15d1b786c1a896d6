"""The measure of every rate: aiokafka as it comes, with its default settings and CRC check, and nothing done."""

import json
import sys
import time

import uvloop
from aiokafka import AIOKafkaConsumer
from steady import steady_rate


async def read(kafka: str, topic: str, count: int) -> dict[str, float]:
    """Read a topic and throw it away; return alerts per second, and seconds of the processor for each."""
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=kafka, auto_offset_reset="earliest")
    await consumer.start()
    began, seen = time.process_time(), 0
    progress = []
    while seen < count:
        seen += sum(map(len, (await consumer.getmany(timeout_ms=1000)).values()))
        progress.append((time.monotonic(), seen))
    used = time.process_time() - began
    await consumer.stop()
    return {"rate": steady_rate(progress), "cpu": used / count}


if __name__ == "__main__":
    print(json.dumps(uvloop.run(read(sys.argv[1], sys.argv[2], int(sys.argv[3])))))
