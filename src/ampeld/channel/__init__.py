"""What a channel's author sees: ``from ampeld.channel import Filter``. Pure: the same batch gives the same verdicts."""
