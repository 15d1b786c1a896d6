"""What the values of BayesianBlocks are; magnitudes stand for fluxes where these are asked for."""

from typing import Final

from ampeld.feature.unit import Value

VALUES: Final = (
    Value("{filter}.baseline", "mag", "level without a transient; a flux with flux = true"),
    Value("{filter}.baseline_sigma", "mag", "error of that level"),
    Value("{filter}.baseline_rms", "mag", "scatter of the baseline's points"),
    Value("{filter}.sigma_from_baseline", "", "how far each block is above the baseline, by both errors", "list"),
    Value("{filter}.nu_of_excess_regions", "", "runs of blocks that are no baseline", "integer"),
    Value("{filter}.nu_of_excess_blocks", "", "blocks of each", "list"),
    Value("{filter}.jd_excess_regions", "d", "first and last measurement of each [JD]", "list"),
    Value("{filter}.max_mag_excess_region", "mag", "brightest point of each", "list"),
    Value("{filter}.max_jd_excess_region", "d", "its time [JD]", "list"),
    Value("{filter}.mag_edge_excess", "mag", "last point of each", "list"),
    Value("{filter}.max_sigma_excess_region", "", "largest sigma_from_baseline of each", "list"),
    Value("{filter}.sigma_from_baseline_excess", "", "sigma_from_baseline of the blocks of the last one", "list"),
    Value("{filter}.description", "", "by region: 0 one point, 1 one block, 2 several blocks", "list"),
    Value("{filter}.max_baye_block_timescale", "d", "duration of the brightest block"),
    Value("{filter}.max_mag", "mag", "brightest point"),
    Value("{filter}.significance", "", "scatter outside of the peak's region by baseline_sigma"),
    Value("{filter}.strength_peak", "", "brightest point above the baseline by that scatter"),
    Value("{filter}.significance_of_fluctuation", "", "drops to local peaks after the brightest block", "list"),
    Value("{filter}.significance_of_fluctuation_before", "", "drops to local peaks before it", "list"),
    Value("{filter}.significance_of_variability_excess", "", "drops to its region's blocks: before, after", "list"),
    Value("{filter}.significance_after_peak", "1 / mag", "inverse scatter of the region's points after it", "list"),
    Value("{filter}.strength_after_peak", "", "drop to the next block by that scatter", "list"),
    Value("{filter}.nu_of_baseline_regions", "", "runs of blocks of the baseline", "integer"),
    Value("{filter}.jd_baseline_regions", "d", "first and last measurement of each [JD]", "list"),
    Value("{filter}.mag_edge_baseline", "mag", "last point of each", "list"),
    Value("{filter}.jd_outlier", "d", "first and last measurement of outliers [JD]", "list"),
    Value("coincide_peak_block", "", "1 if the peak regions of two filters (not i) overlap, else -1", "integer"),
    Value("overlapping_regions_count", "", "regions of the second filter that overlap one of the first", "integer"),
    Value("start_excess", "d", "start of the most significant region of the last filter that has one [JD]"),
    Value("size_excess", "d", "its length"),
)
