configfile: "config/config.yaml"


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/embeddings.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/grids.smk"
include: "workflow/rules/fits.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/claims.smk"
include: "workflow/rules/page.smk"
include: "workflow/rules/tools.smk"
include: "workflow/rules/checks.smk"


rule all:
    default_target: True
    input:
        rules.figures.input,
        rules.claims.input,
        PAGE,
