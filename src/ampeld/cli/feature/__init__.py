"""`ampeld feature`: what an author and an operator do with features, one file per command."""

from ampeld.cli.family import family

feature = family(
    "feature",
    "List, write and try units that measure light curves; see what waits, and measure anew.",
    {
        "list": "list:list_",
        "show": "show:show",
        "new": "new:new",
        "run": "run:run",
        "status": "status:status",
        "reset": "reset:reset",
    },
)
