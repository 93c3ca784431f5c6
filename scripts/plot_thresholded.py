"""Draw the comparison of thresholded with exact gradients."""

from snakemake.script import Snakemake

from spectral_capacity.grids import open_grid
from spectral_capacity.joblog import job_log
from spectral_capacity.plotting import common, thresholded

snakemake: Snakemake

with job_log(snakemake.log[0], "plot_thresholded", snakemake.params.settings):
    grids, fits = (
        [*map(open_grid, paths)] for paths in (snakemake.input.grid, snakemake.input.fits)
    )
    with common.style(snakemake.input.style):
        figure = thresholded.plot(grids, fits, **snakemake.params.settings)
        common.save(figure, snakemake.output)
