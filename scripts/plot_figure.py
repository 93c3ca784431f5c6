"""Draw a figure: the module that it names, from the grids and fits of what it shows."""

from importlib import import_module

from snakemake.script import Snakemake

from spectral_capacity.figures.parts import common
from spectral_capacity.results.digests import Product
from spectral_capacity.results.job_log import job_log
from spectral_capacity.results.reading import open_grids

snakemake: Snakemake

params, inputs = snakemake.params, snakemake.input
log = job_log(snakemake.log[0], snakemake.rule, params.settings, Product.of(snakemake))
with log as report, common.style(inputs.style, params.optimizers):
    grids, fits = open_grids(inputs.grid), open_grids(inputs.fits)
    module = import_module(params.module)
    figure = module.plot(common.shown_to(module, grids, params.settings), fits, **params.settings)
    if note := getattr(figure, "left_out", None):
        report(note)
    what = {"module": params.module, "options": params.settings, "optimizers": params.optimizers}
    what["figure"] = snakemake.rule.removeprefix("plot_")
    provenance = common.drawn_from(what, inputs.style, params.code, grids, fits)
    common.save(figure, snakemake.output, params.title, provenance)
