"""Draw Figure 4c."""

from snakemake.script import Snakemake

from spectral_capacity.figures.parts import capacity_after_steps as fig4
from spectral_capacity.figures.parts import common
from spectral_capacity.results.job_log import job_log
from spectral_capacity.results.reading import open_grid

snakemake: Snakemake

with job_log(snakemake.log[0], "plot_fig4c", snakemake.params.settings):
    grid, fits = open_grid(snakemake.input.grid), open_grid(snakemake.input.fits)
    with common.style(snakemake.input.style):
        figure = fig4.plot(grid, fits, steps=4, **snakemake.params.settings)
        common.save(figure, snakemake.output)
