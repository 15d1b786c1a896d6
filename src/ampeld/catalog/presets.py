"""Catalogues that many import, by the names that their columns have in one archive or another."""

import msgspec


class PresetColumn(msgspec.Struct, frozen=True):
    """A column that a preset takes."""

    name: str
    """What it is called in the catalogue."""
    unit: str
    """Its unit in the catalogue, and the one that is assumed where the table names none."""
    sources: tuple[str, ...] = ()
    """Further names that it goes by."""


class Preset(msgspec.Struct, frozen=True):
    """What is taken of a well-known catalogue."""

    description: str
    epoch: float
    """Julian year of its positions."""
    ra: tuple[str, ...]
    dec: tuple[str, ...]
    columns: tuple[PresetColumn, ...]
    optional: tuple[PresetColumn, ...] = ()
    """Taken where the table has them."""


_GAIA_COLUMNS = (
    PresetColumn("phot_g_mean_mag", "mag", ("Gmag", "Mag_G")),
    PresetColumn("astrometric_excess_noise_sig", "", ("sepsi", "ExcessNoiseSig")),
    PresetColumn("pmra", "mas / yr", ("pmRA", "PMRA")),
    PresetColumn("pmra_error", "mas / yr", ("e_pmRA", "ErrPMRA")),
    PresetColumn("pmdec", "mas / yr", ("pmDE", "PMDec")),
    PresetColumn("pmdec_error", "mas / yr", ("e_pmDE", "ErrPMDec")),
    PresetColumn("parallax", "mas", ("Plx",)),
    PresetColumn("parallax_error", "mas", ("e_Plx", "ErrPlx")),
)
_GAIA_OPTIONAL = (
    PresetColumn("source_id", "", ("Source",)),
    PresetColumn("bp_rp", "mag", ("BP-RP",)),
    PresetColumn("ruwe", "", ("RUWE",)),
)

PRESETS = {
    "gaia-dr3": Preset(
        "Gaia DR3", 2016.0, ("ra", "RA_ICRS", "RAdeg"), ("dec", "DE_ICRS", "DEdeg"), _GAIA_COLUMNS, _GAIA_OPTIONAL
    ),
    "gaia-dr2": Preset(
        "Gaia DR2", 2015.5, ("ra", "RA_ICRS", "RA"), ("dec", "DE_ICRS", "Dec"), _GAIA_COLUMNS, _GAIA_OPTIONAL
    ),
}
"""By the name under which `ampeld catalog import --preset` knows them."""
