"""Draw the comparison of thresholded with exact gradients."""

from snakemake.script import Snakemake

from spectral_capacity.figures import thresholded
from spectral_capacity.figures.parts import common
from spectral_capacity.results.job_log import job_log
from spectral_capacity.results.reading import open_grid

snakemake: Snakemake

with job_log(snakemake.log[0], "plot_thresholded", snakemake.params.settings):
    grids, fits = (
        [*map(open_grid, paths)] for paths in (snakemake.input.grid, snakemake.input.fits)
    )
    with common.style(snakemake.input.style):
        figure = thresholded.plot(grids, fits, **snakemake.params.settings)
        common.save(figure, snakemake.output)
