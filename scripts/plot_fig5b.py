"""Draw Figure 5b."""

from snakemake.script import Snakemake

from spectral_capacity.figures import fig5b
from spectral_capacity.figures.parts import common
from spectral_capacity.results.job_log import job_log
from spectral_capacity.results.reading import open_grid

snakemake: Snakemake

with job_log(snakemake.log[0], "plot_fig5b", snakemake.params.settings):
    grid, fits = open_grid(snakemake.input.grid), open_grid(snakemake.input.fits)
    with common.style(snakemake.input.style):
        figure = fig5b.plot(grid, fits, **snakemake.params.settings)
        common.save(figure, snakemake.output)
