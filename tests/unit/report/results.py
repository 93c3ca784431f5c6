"""A small run's results, as the page takes them."""

import os
from types import SimpleNamespace

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from spectral_capacity.analysis.claims import COLUMNS
from spectral_capacity.analysis.claims_file import FitClaim
from spectral_capacity.report import claims_page, index
from spectral_capacity.results.netcdf import write_netcdf
from spectral_capacity.results.picture_metadata import picture_metadata
from spectral_capacity.results.provenance import attributes, record

NEWEST = 1_770_000_000  # 2026-02-02
VERDICTS = {
    "T3": ["supported", "supported"],
    "T5 x": ["supported", "inconclusive"],
    "LIM": ["contradicted"],
    "S": ["too small"],
    "N": ["not measured"],
}
FIGURES = {"T3": "fig2", "T5 x": "fig2", "LIM": "fig4", "S": "left_out"}
LINE = {
    "experiment": "one_step",
    "optimizer": "muon",
    "quantity": "capacity",
    "statistic": "exponent",
    "fit": "largest",
    "relation": "equal",
    "alpha": 1.5,
    "kappa": 0.0,
    "step": 1,
    "predicted": 1.25,
    "measured": 1.5,
    "low": 1.25,
    "high": 1.75,
    "finite_size": 1.2,
    "tolerance": 0.5,
    "fitted": 3,
    "largest_d": 256,
    "log_powers": 1.0,
}
NOTE = "Small :math:`d` <bend> it."


def claim(name):
    return FitClaim(
        id=name,
        statement=f"{name}: about :math:`d^{{1/2}}` <items>.",
        source="arXiv:2603.26554, Theorem 3",
        note=NOTE,
        figure=FIGURES.get(name),
        experiment="one_step",
        optimizer="muon",
        quantity="capacity",
        fit="largest",
        log_powers=1,
    )


FITS = """\
quantity,fit,optimizer,alpha,kappa,batch_size,step,exponent,boot_low,boot_high,theory,level
capacity,ols,muon,1.5,0,16,1,0.4,0.3,0.5,,7
capacity,ols,muon,1.5,0,inf,1,1.41,1.31,1.52,1.33333,312
capacity,largest,muon,1.5,0,inf,1,9.9,9.8,9.95,1.33333,312
critical_batch_size,ols,muon,1.5,0,inf,1,8.8,8.7,8.9,2,4000
"""


def lines(verdicts):
    """Rows of claims; the first verdict of each is the one of the claim."""
    for name, of_lines in verdicts.items():
        of_claim = claim(name).model_dump(include={"statement", "source", "note"})
        about = {"claim": name} | of_claim
        for i, verdict in enumerate(of_lines):
            row = about | {"verdict": verdict, "claim_verdict": of_lines[-1]}
            if verdict != "not measured":
                row = LINE | {"alpha": 1.5 + i} | row
            if verdict == "too small":
                row |= {"fitted": 2, "largest_d": 16}
            yield row


def grid_of(folder, name):
    """The file of an experiment's grid."""
    provenance = {
        "configuration": {
            "experiment": name,
            "n_items": 2000,
            "seed": 17,
            "frequencies": {"file": "/home/me/words.csv"},
            "coordinates": {
                "optimizer": ["muon"],
                "d": [8, 256],
                "batch_size": [*range(8), "inf"],
                "step": [*range(1, 41)],
                "seed": [0, 1, 2],
            },
            "definitions": {
                "muon": {
                    "rule": "spectral",
                    "map": {"name": "polar"},
                    "learning_rate": {"scale": 2.0, "d_power": 0.5, "schedule": "constant"},
                }
            },
            "early_stop": {"gain": 0.01, "window": 10},
        },
        "cells": [
            {"git_revision": "0" * 40, "device": "cpu", "versions": {"numpy": "2.0"}},
            {
                "git_revision": "1" * 40 + "-dirty",
                "device": "H100",
                "versions": {"numpy": "2.1"},
                "code": "code_of_cells",
            },
        ],
        "code": "code_of_grid",
    }
    counts = np.ones((1, 2, 9, 40))
    counts[0, 1, 8, 0] = 7.5
    variables = {"capacity": (("optimizer", "d", "batch_size", "step"), counts, {})}
    grid = folder / f"grids/{name}.nc"
    write_netcdf(grid, variables, attributes("A grid", provenance))
    os.utime(grid, (NEWEST, NEWEST))
    return grid


def run_of(folder, verdicts=VERDICTS, formats=("svg", "png")):
    """Files of a run, and what the page is made with."""
    rows = pd.DataFrame([*lines(verdicts)], columns=COLUMNS)
    made = record({"experiments": ["one_step"]}, code="code_of_claims")
    claims_page.write(rows, folder / "claims.csv", folder / "claims.html", made)
    grid = grid_of(folder, "one_step")
    logs = [folder / f"logs/{i}.log" for i in range(3)]
    logs[0].parent.mkdir(exist_ok=True)
    for log in logs[:2]:
        log.write_text("12:00:00  seed 0 done\n12:00:45  done in 45.50 s\n")
    fits = {suffix: folder / f"fits/one_step.{suffix}" for suffix in ("csv", "nc")}
    figures = []
    for name, theme in {"fig2": "One step", "fig3": "One step", "fig4": "Many steps"}.items():
        files = {suffix: folder / f"figures/{name}.{suffix}" for suffix in formats}
        for path in files.values():
            path.parent.mkdir(exist_ok=True)
            made = record({"options": {"x": ["d"], "finite_size": True}}, code=f"code_of_{name}")
            metadata = picture_metadata(path.suffix, name, made)
            Figure(figsize=(4, 3)).savefig(path, metadata=metadata)
        figures.append(
            {
                "name": name,
                "draw": name,
                "title": f"Title of {name}",
                "theme": theme,
                "caption": f'Items of "{name}" against d. Grey: :math:`d^2`.',
                "experiments": ["one_step"],
                "files": {suffix: str(path) for suffix, path in files.items()},
            }
        )
    fits["csv"].parent.mkdir(exist_ok=True)
    fits["csv"].write_text(FITS)
    made = record(
        {"experiment": "one_step", "confidence": 0.95, "n_items": 2000}, code="code_of_fits"
    )
    write_netcdf(fits["nc"], {}, attributes("Fits", made))
    settings = {
        "figures": figures,
        "experiments": {
            "one_step": {
                "fits": {suffix: str(path) for suffix, path in fits.items()},
                "logs": [str(path) for path in logs],
            }
        },
    }
    return SimpleNamespace(
        page=folder / "index.html",
        claims=[claim(name) for name in verdicts],
        table=folder / "claims.csv",
        grids=[grid],
        settings=settings,
        provenance=record({"figures": ["fig2"]}, code="code_of_page"),
    )


def page_of(folder, **changes):
    """The page of :func:`run_of`, as text."""
    run = run_of(folder, **changes)
    index.write(**vars(run))
    return run.page.read_text()
