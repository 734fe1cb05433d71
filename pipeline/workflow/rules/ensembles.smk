"""Neurons grouped into ensembles, one grouping per recording."""


rule ensembles:
    input:
        f"{ROOT}/preprocessed/{{recording}}.nc",
    output:
        f"{ROOT}/ensembles/{{recording}}-k{{k}}.nc",
    log:
        f"{ROOT}/logs/ensembles/{{recording}}-k{{k}}.log",
    benchmark:
        f"{ROOT}/benchmarks/ensembles/{{recording}}-k{{k}}.tsv"
    threads: 1
    resources:
        mem_mb=8000,
        runtime=20,
    params:
        method=STUDY.parameters.ensembles.method,
        neurons=lambda wildcards: targets.chosen_neurons(STUDY, wildcards.recording),
        seed=STUDY.parameters.seed,
    message:
        "Grouping the neurons of {wildcards.recording} into {wildcards.k} ensembles"
    script:
        "../scripts/ensembles.py"
