"""Science code beside the daemon, not in it: a process that runs the filters, and how the daemon outlives what they do.

``judge`` is what the rest of the daemon sees. ``spawn`` starts the *nursery*, a process that loads the channels and
judges nothing; each *worker* is a fork of it, so that a new one has every channel loaded within milliseconds and
shares the nursery's memory. Batches travel through shared memory (``segment``), answers come back as MessagePack
(``messages``) and are believed only after a look (``answers``).
"""
