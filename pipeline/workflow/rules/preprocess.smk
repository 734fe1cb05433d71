"""From fluorescence to ΔF/F."""


rule preprocess:
    input:
        f"{ROOT}/recordings/{{recording}}.nc",
    output:
        f"{ROOT}/preprocessed/{{recording}}.nc",
    log:
        f"{ROOT}/logs/preprocess/{{recording}}.log",
    benchmark:
        f"{ROOT}/benchmarks/preprocess/{{recording}}.tsv"
    threads: 1
    resources:
        mem_mb=8000,
        runtime=20,
    params:
        preprocess=targets.section(STUDY, "preprocess"),
    message:
        "Preprocessing recording {wildcards.recording}"
    script:
        "../scripts/preprocess.py"
