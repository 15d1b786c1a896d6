"""Made-up nights for fault tests: alerts, repeats and poison, each with the outcome that an independent rule expects."""

import asyncio
import random
import zlib
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from support.packets import alert, detection, limit
from support.servers import send

BRIGHT, ODD = "bright", "odd"
MAX_MAG = 19.0
JD = 2458300.5

CHANNELS = {
    BRIGHT: ("Bright", ["ZTF_PUB", "ZTF_PRIV"]),
    ODD: ("Odd", ["ZTF_PUB"]),
}
"""By channel: its filter's class in `FILTERS`, and its rights."""

FILTERS = f"""
from ampeld.channel import Filter


class Bright(Filter):
    def cuts(self, a):
        yield "bright", a.magpsf <= {MAX_MAG}


class Odd(Filter):
    def accept(self, alert):
        return alert.candid % 3 != 0
"""


class Message(NamedTuple):
    """What is sent, and what is to become of it."""

    name: str
    candid: int
    payload: bytes
    takers: frozenset[str]
    poison: bool = False


class Sent(NamedTuple):
    """A message with the coordinates that the broker acknowledged."""

    topic: str
    partition: int
    offset: int
    message: Message

    @property
    def place(self) -> tuple[str, int, int]:
        return self.topic, self.partition, self.offset


def takers_of(candid: int, magpsf: float, programid: int) -> frozenset[str]:
    """Return who must accept an alert: the rule, written a second time and in another way."""
    takers = {BRIGHT} if magpsf <= MAX_MAG else set()
    return frozenset(takers | ({ODD} if programid == 1 and candid % 3 else set()))


def object_name(number: int) -> str:
    letters = ""
    for _ in range(7):
        number, digit = divmod(number, 26)
        letters = chr(ord("a") + digit) + letters
    return f"ZTF18{letters}"


def night(seed: int, *, objects: int = 12, visits: int = 10, first: int = 0) -> list[Message]:
    """Return the alerts of some objects in the order of their times, some of them twice, with poison between."""
    chance = random.Random(seed)
    messages: list[Message] = []
    histories: dict[int, list[dict]] = {number: [] for number in range(first, first + objects)}
    for day in range(visits):
        for number, history in histories.items():
            message = _visit(chance, number, day, history)
            messages.append(message)
            if chance.random() < 0.1:
                messages.append(message)
        if chance.random() < 0.3:
            messages.append(_poison(chance))
    return messages


def _visit(chance: random.Random, number: int, day: int, history: list[dict]) -> Message:
    candid = 1_000_000 * (number + 1) + 10 * day + chance.randrange(3)
    jd = JD + day + number * 1e-4
    magpsf = chance.choice([17.5, 18.5, 19.5])
    programid = chance.choice([1, 1, 1, 2])
    own = detection(candid, jd, magpsf=magpsf, programid=programid)
    near = [record for record in history if record["jd"] > jd - 6 and chance.random() < 0.9]
    name = object_name(number)
    payload = alert(name, candid, jd, near, magpsf=magpsf, programid=programid)
    history.append(own)
    if chance.random() < 0.5:
        history.append(limit(jd + 0.5, rcid=number % 60, programid=programid))
    return Message(name, candid, payload, takers_of(candid, magpsf, programid))


def _poison(chance: random.Random) -> Message:
    good = alert(object_name(chance.randrange(100)), chance.randrange(1, 10**9))
    kinds = [good[: chance.randrange(1, len(good))], b"", chance.randbytes(200), b'{"objectId": "ZTF18aaaaaaa"}']
    return Message("", 0, chance.choice(kinds), frozenset(), poison=True)


def produce(bootstrap: str, topic: str, messages: Sequence[Message], *, partitions: int, spread: bool) -> list[Sent]:
    """Send messages, each object to one partition or spread over all, and return what the broker acknowledged."""
    places = [i % partitions if spread else zlib.crc32(m.name.encode()) % partitions for i, m in enumerate(messages)]
    parcels = [(m.name.encode(), m.payload, place) for m, place in zip(messages, places, strict=True)]
    offsets = asyncio.run(send(bootstrap, topic, parcels))
    return [Sent(topic, p, o, m) for p, o, m in zip(places, offsets, messages, strict=True)]


def distinct(sent: Sequence[Sent]) -> Iterator[Message]:
    """Yield each alert that somebody must accept, once."""
    seen: set[int] = set()
    for one in sent:
        if one.message.takers and one.message.candid not in seen:
            seen.add(one.message.candid)
            yield one.message
