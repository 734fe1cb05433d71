"""Activity turned into ON and OFF, and what a reader needs to judge its quality."""


rule binarize:
    input:
        ensembles=f"{ROOT}/ensembles/{{recording}}-k{{k}}.nc",
        windows=f"{ROOT}/windows/{{recording}}.csv",
    output:
        f"{ROOT}/states/{{recording}}-k{{k}}.nc",
    log:
        f"{ROOT}/logs/binarize/{{recording}}-k{{k}}.log",
    benchmark:
        f"{ROOT}/benchmarks/binarize/{{recording}}-k{{k}}.tsv"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=20,
    params:
        binarize=targets.section(STUDY, "binarize"),
    message:
        "Binarizing {wildcards.recording}"
    script:
        "../scripts/binarize.py"


rule quality:
    input:
        preprocessed=f"{ROOT}/preprocessed/{{recording}}.nc",
        ensembles=f"{ROOT}/ensembles/{{recording}}-k{UNITS}.nc",
        states=f"{ROOT}/states/{{recording}}-k{UNITS}.nc",
    output:
        f"{ROOT}/quality/{{recording}}.csv",
    log:
        f"{ROOT}/logs/quality/{{recording}}.log",
    benchmark:
        f"{ROOT}/benchmarks/quality/{{recording}}.tsv"
    threads: 1
    resources:
        mem_mb=8000,
        runtime=10,
    message:
        "Measuring the quality of {wildcards.recording}"
    script:
        "../scripts/quality.py"
