"""Judges batches in a thread of this process: for debugging, and where the channels' code may be trusted."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ampeld.channel.channel import Channel
from ampeld.daemon.files import ChannelFiles
from ampeld.daemon.isolation.loading import Loaded, learn, load
from ampeld.daemon.isolation.sanctions import Sanctioning, tell_suspicious
from ampeld.flow.verdict import SKIPPED
from ampeld.stages.filter import judge_batch
from ampeld.stages.values import Decoded, Judged


class ThreadJudge(Sanctioning):
    """The port `ampeld.stages.ports.Judge` by way of a thread, to be closed.

    Errors are counted as by `ampeld.daemon.isolation.judge.ProcessJudge`; a loop without end is not stopped.

    Parameters
    ----------
    error_budget
        Errors that suspend a channel.
    catalogs
        The catalogues' directory; it need not exist.
    channels
        Those that judge until others are swapped in.
    """

    def __init__(self, error_budget: int, catalogs: Path, channels: Sequence[Channel] = ()) -> None:
        super().__init__(error_budget)
        self._catalogs = catalogs
        self._loaded = Loaded(tuple(channels), {})
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="filters")

    @property
    def channels(self) -> tuple[Channel, ...]:
        """Return the channels in force."""
        return self._loaded.channels

    async def swap(self, files: Sequence[ChannelFiles]) -> None:
        """Let these channels judge from the next batch on.

        Raises
        ------
        ChannelsRefusedError
            If some cannot be loaded; the former ones go on.
        """
        loaded = await asyncio.to_thread(self._load, files)
        await self.follower.load(loaded)
        self._loaded = loaded

    async def judge(self, decoded: Decoded) -> Judged:
        """Return the verdicts of the channels in force."""
        judged = await asyncio.get_running_loop().run_in_executor(self._thread, self._judge, decoded)
        for channel, codes, failures in zip(judged.channels, judged.codes, judged.failures, strict=True):
            errors = [failure for failure in failures if failure is not None]
            if errors:
                self.costs.of(channel).errors += len(errors)
                self.sanctions.charge(channel, len(errors), errors[-1].error)
            self.costs.of(channel).alerts += int((codes != SKIPPED).sum())
        return judged

    async def close(self) -> None:
        """Let go of the follower, and of the thread; one that does not come back is left behind."""
        await self.follower.close()
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _judge(self, decoded: Decoded) -> Judged:
        loaded = self._loaded
        return judge_batch(
            loaded.channels, decoded, loaded.catalogs, skipped=frozenset(self.suspended), on_judged=self._note
        )

    def _load(self, files: Sequence[ChannelFiles]) -> Loaded:
        loaded = load(files, self._catalogs)
        errors = {channel.name: learn(channel, loaded.catalogs) for channel in loaded.channels}
        tell_suspicious(loaded.channels, {name: error for name, error in errors.items() if error is not None})
        return loaded

    def _note(self, channel: Channel, ns: int) -> None:
        self.costs.of(channel).ns += ns
