"""What a channel's author sees: ``from ampeld.channel import Filter``. Pure: the same batch gives the same verdicts."""

from ampeld.channel.alert import Alert
from ampeld.channel.column import Column
from ampeld.channel.columns import Columns
from ampeld.channel.condition import Condition
from ampeld.channel.filter import Cuts, Filter
from ampeld.channel.sharing import shared
from ampeld.channel.textfile import TextFile

__all__ = ["Alert", "Column", "Columns", "Condition", "Cuts", "Filter", "TextFile", "shared"]
