"""Print what every cell of the configuration needs: time, measured against this device, and memory."""

from snakemake.script import Snakemake

from spectral_capacity import backend
from spectral_capacity.config import cells, parse
from spectral_capacity.config.estimates import Rates, plan
from spectral_capacity.speed import measured_rates

snakemake: Snakemake

config = parse(snakemake.config)
backend.start(config.device, config.results)
planned = [cell for experiment in config.experiments for cell in cells(config, experiment)]
print(plan(config, planned, Rates(*measured_rates())))
print(f"on {backend.describe()['device']}; time of a run that may stop early: its longest")
