"""Draw Figure 4e."""

from snakemake.script import Snakemake

from spectral_capacity.figures import fig4e
from spectral_capacity.figures.parts import common
from spectral_capacity.results.job_log import job_log
from spectral_capacity.results.reading import open_grid

snakemake: Snakemake

with job_log(snakemake.log[0], "plot_fig4e", snakemake.params.settings):
    grid, fits = open_grid(snakemake.input.grid), open_grid(snakemake.input.fits)
    with common.style(snakemake.input.style):
        figure = fig4e.plot(grid, fits, **snakemake.params.settings)
        common.save(figure, snakemake.output)
