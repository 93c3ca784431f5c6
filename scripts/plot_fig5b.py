"""Draw Figure 5b."""

from snakemake.script import Snakemake

from spectral_capacity.grids import open_grid
from spectral_capacity.joblog import job_log
from spectral_capacity.plotting import common, fig5b

snakemake: Snakemake

with job_log(snakemake.log[0], "plot_fig5b", snakemake.params.settings):
    grid, fits = open_grid(snakemake.input.grid), open_grid(snakemake.input.fits)
    with common.style(snakemake.input.style):
        figure = fig5b.plot(grid, fits, **snakemake.params.settings)
        common.save(figure, snakemake.output)
