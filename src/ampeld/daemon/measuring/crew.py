"""Who measures for the channels of one loading: units that are opened, in the flow's place and in those behind it."""

import asyncio
from collections.abc import Callable, Mapping, Sequence

import msgspec

from ampeld.channel.channel import Channel
from ampeld.daemon.channels import ChannelsRefusedError
from ampeld.daemon.isolation.cradle import Cradle
from ampeld.daemon.isolation.loading import Loaded
from ampeld.daemon.measuring.hand import HandLostError
from ampeld.daemon.measuring.opening import Key, open_units, refusals
from ampeld.daemon.measuring.origins import Origins
from ampeld.daemon.measuring.slot import Slot
from ampeld.daemon.measuring.thread import ThreadSlot
from ampeld.flow.trace import Trace
from ampeld.flow.wanted import Recipe, closure

AnySlot = Slot | ThreadSlot


class Crew(msgspec.Struct, frozen=True, eq=False):
    """Who measures for the channels of one loading."""

    channels: Sequence[Channel]
    recipes: Mapping[Key, Recipe]
    """What the channels want, and all that this builds upon."""
    traces: Mapping[Key, Trace]
    inline: AnySlot
    """Where the flow's cases are measured."""
    turn: asyncio.Lock
    """Of who uses that place."""
    make_slot: Callable[[str], AnySlot]
    """Makes another place, to be closed; its argument names it in the log."""

    async def close(self) -> None:
        """Close the flow's place, once what is measured there now is done."""
        async with self.turn:
            await self.inline.close()


async def crew_of(cradle: Cradle, channels: Sequence[Channel]) -> Crew | None:
    """Return who measures in processes for these channels; None when they want nothing.

    Raises
    ------
    ChannelsRefusedError
        If a unit cannot open what it needs.
    """
    recipes = _recipes(channels)
    if not recipes:
        return None
    slot = Slot(cradle, "inline")
    try:
        opened = await slot.begin()
        assert opened is not None
        refuse({(unit, config): error for unit, config, error in opened.failed}, channels)
    except HandLostError as error:
        await slot.close()
        raise ChannelsRefusedError({c.name: [f"{c.path}: {error}"] for c in channels if c.features}) from None
    except BaseException:
        await slot.close()
        raise
    traces = {(trace.unit, trace.config): trace for trace in opened.traces}
    slot.origins = origins = Origins(traces)
    return Crew(
        channels, recipes, traces, slot, asyncio.Lock(), lambda name: Slot(cradle, name, origins, looks_again=True)
    )


def crew_here(loaded: Loaded) -> Crew | None:
    """Return who measures in threads of this process; None when the channels want nothing.

    Raises
    ------
    ChannelsRefusedError
        If a unit cannot open what it needs.
    """
    recipes = _recipes(loaded.channels)
    if not recipes:
        return None
    opening = open_units(loaded.units, loaded.found)
    refuse(opening.failed, loaded.channels)
    units = opening.units
    return Crew(
        loaded.channels, recipes, opening.traces, ThreadSlot(units), asyncio.Lock(), lambda _: ThreadSlot(units)
    )


def refuse(failed: Mapping[Key, str], channels: Sequence[Channel]) -> None:
    """Refuse the channels that want what could not be opened, or what builds upon it; there may be none.

    Raises
    ------
    ChannelsRefusedError
        If there are any.
    """
    if problems := refusals(failed, channels):
        raise ChannelsRefusedError(problems)


def _recipes(channels: Sequence[Channel]) -> dict[Key, Recipe]:
    return {recipe.key: recipe for recipe in closure(one.recipe for channel in channels for one in channel.features)}
