"""`ampeld channel`: what an author and an operator do with channels, one file per command."""

from ampeld.cli.family import family

channel = family(
    "channel",
    "Write, try, gate and reload channels, and let suspended ones go on.",
    {
        "new": "new:new",
        "list": "list:list_",
        "check": "check:check",
        "show": "show:show",
        "test": "test:bench",
        "gate": "gate:gate",
        "reload": "reload:reload",
        "resume": "resume:resume",
    },
)
