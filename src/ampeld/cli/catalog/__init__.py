"""`ampeld catalog`: the local catalogues that channels search in, one file per command."""

from ampeld.cli.family import family

catalog = family(
    "catalog",
    'Import, list, check and search local catalogues: what channels find near an alert with `a.near("gaia", radius)`.',
    {
        "import": "import_table:import_table",
        "list": "list_catalogs:list_catalogs",
        "check": "check_catalogs:check_catalogs",
        "cone": "cone_search:cone_search",
    },
    # a declination may be negative, and is no option for that
    settings={"cone": {"ignore_unknown_options": True}},
)
