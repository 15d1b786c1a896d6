"""Keeps in the store what a channel's version is made of and what it is, so that verdicts can be read and repeated."""

from collections.abc import Sequence

from ampeld.channel.channel import Channel
from ampeld.daemon.files import ChannelFiles
from ampeld.flow.trace import Trace
from ampeld.store.mongodb import MongoStore
from ampeld.store.traces import Traces
from ampeld.store.versions import describe_texts


async def register_texts(store: MongoStore, files: Sequence[ChannelFiles]) -> None:
    """Keep the texts of versions: before they judge, so that no verdict names a version that nobody can run."""
    for one in files:
        texts = describe_texts(one.path, one.text, one.modules)
        await store.register_version(one.version, {"name": one.name, "survey": one.survey, "files": texts})


async def register_traces(store: MongoStore, traces: Sequence[Trace]) -> None:
    """Keep where the values of features come from, so that the numbers in their documents mean something."""
    await Traces(store.connection).register_traces(traces)


async def register_channels(store: MongoStore, channels: Sequence[Channel], words: Sequence[str]) -> None:
    """Keep what versions are, the numbers of their cuts, and the configurations of the features that they want.

    Parameters
    ----------
    store
        The store.
    channels
        Loaded, here or elsewhere.
    words
        ``module:Class`` of each one's filter.
    """
    for channel, filter_ in zip(channels, words, strict=True):
        facts = {
            "name": channel.name,
            "filter": filter_,
            "contact": channel.contact,
            "access": sorted(channel.access),
            "on_known": channel.on_known,
        }
        await store.register_version(channel.version, facts)
        await store.cut_numbers(channel.version, channel.cut_names.names)
    recipes = [wanted.recipe for channel in channels for wanted in channel.features]
    await Traces(store.connection).register_configs(recipes)
