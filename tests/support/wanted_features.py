"""A store, a measurer and channels that want features; accepted alerts to flush, and what came of them."""

from fakes.store import MemoryStore
from support.nights import accepted
from support.pipelines import PROVENANCE
from support.units import measurer

from ampeld.alert.point import Point
from ampeld.flow.record import Coordinates
from ampeld.stages.deduplicate import Flusher
from ampeld.stages.measure import Measuring


def point(number, *, full=False, programid=1):
    jd = float(abs(number) // 10)
    body = {"jd": jd, "rcid": 1, "programid": programid, "full": full} | ({"magpsf": 18.0} if number > 0 else {})
    return Point(number, jd, 1, programid, ("ZTF",), body, full)


def alert(number, *history, channels=("a",), groups=None, programid=1, stock=1):
    """Return an accepted alert: number // 10 is its day."""
    return accepted(
        [point(number, full=True, programid=programid), *(point(n) for n in history)],
        coordinates=Coordinates("t", 0, number),
        candid=number,
        stock=stock,
        name=f"object {stock}",
        jd=float(number // 10),
        schema="s",
        channels=dict.fromkeys(channels, True),
        groups=groups or {},
    )


class Flow:
    """A store, a measurer and channels."""

    def __init__(self, *channels, store=None, **options):
        self.store = store or MemoryStore()
        self.measurer = measurer()
        self.channels = channels
        self.failures = []
        measuring = Measuring(self.store, self.measurer, on_failure=self.failures.append, **options)
        self.flusher = Flusher(self.store, PROVENANCE, "group", measuring)

    async def flush(self, *alerts):
        _, _, measured = await self.flusher._write(alerts, self.channels)
        await self.flusher._write_features(measured)

    @property
    def codes(self):
        return {(key.unit, key.link): document["code"] for key, document in self.store.features.items()}

    def body(self, unit, link=None):
        (body,) = self.document(unit, link)["body"]
        return body

    def document(self, unit, link=None):
        (found,) = [d for key, d in self.store.features.items() if key.unit == unit and link in (None, key.link)]
        return found

    def newest(self, channel="a"):
        return self.store.objects[1].state[channel].link
