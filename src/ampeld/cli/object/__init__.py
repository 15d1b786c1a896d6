"""`ampeld object`: whole objects out of the store and into it, one file per command."""

from ampeld.cli.family import family

object = family(  # noqa: A001  the command's name
    "object",
    "Take objects out of the store, whole, and put them into one.",
    {"export": "export_objects:export_objects", "import": "import_objects:import_objects"},
)
