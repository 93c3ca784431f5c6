"""Print what every cell of the configuration needs: time, measured against this device, and memory."""

from snakemake.script import Snakemake

from spectral_capacity import backend
from spectral_capacity.config.plan import plan
from spectral_capacity.kinds.rates import Rates, measured_flops
from spectral_capacity.results.job_log import job_log
from spectral_capacity.training.device_rates import measured_rates

snakemake: Snakemake

with job_log(snakemake.log[0], "plan", {}):
    backend.start(snakemake.config["device"], snakemake.config["results"])
    rates = Rates(*measured_rates(), measured_flops())
    print(plan(snakemake.params.cells, snakemake.params.jobs, rates))
    print(
        f"On {backend.describe()['device']}. A run that may stop early counts its longest; memory is a "
        "CPU job's."
    )
