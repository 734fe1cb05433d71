"""Tables over all recordings: every measure with its interval and null, and the contrasts of conditions."""


rule summarise:
    input:
        phi=targets.per_system(STUDY, "phi/{recording}/{window}/{system}.nc", OMIT),
        nulls=targets.per_system(STUDY, "nulls/{recording}/{window}/{system}.nc", OMIT),
        tpm=targets.per_window(
            STUDY, f"tpm/{{recording}}/{{window}}/micro-{UNITS}.nc", OMIT
        ),
    output:
        summary=f"{ROOT}/summary.csv",
        nulls=f"{ROOT}/nulls.csv",
        fits=f"{ROOT}/fits.csv",
        parquet=multiext(f"{ROOT}/", "summary.parquet", "nulls.parquet", "fits.parquet"),
    log:
        f"{ROOT}/logs/summarise.log",
    benchmark:
        f"{ROOT}/benchmarks/summarise.tsv"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=20,
    params:
        confidence=STUDY.parameters.compare.confidence,
    message:
        "Summary of every window, scale and measure"
    script:
        "../scripts/summarise.py"


rule compare:
    input:
        f"{ROOT}/summary.csv",
    output:
        comparison=f"{ROOT}/comparison.csv",
        parquet=f"{ROOT}/comparison.parquet",
    log:
        f"{ROOT}/logs/compare.log",
    benchmark:
        f"{ROOT}/benchmarks/compare.tsv"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        conditions=STUDY.parameters.conditions,
        contrasts=STUDY.contrasts(),
        compare={
            name: value
            for name, value in targets.section(STUDY, "compare").items()
            if name != "contrasts"
        },
        seed=STUDY.parameters.seed,
    message:
        "Contrasts between conditions"
    script:
        "../scripts/compare.py"


rule validate:
    input:
        summary=f"{ROOT}/summary.csv",
        truth=[
            f"{ROOT}/recordings/{name}.truth.json"
            for name in SIMULATED + KNOWN
            if name not in OMIT
        ],
        tpm=[
            path
            for path in targets.per_system(
                STUDY, "tpm/{recording}/{window}/{system}.nc", OMIT
            )
            if Path(path).stem.startswith("macro_units")
        ],
        ensembles=targets.per_recording(
            STUDY, f"ensembles/{{recording}}-k{UNITS}.nc", OMIT
        ),
    output:
        truth=f"{ROOT}/truth.csv",
        groupings=f"{ROOT}/true_groupings.csv",
        parquet=multiext(f"{ROOT}/", "truth.parquet", "true_groupings.parquet"),
    log:
        f"{ROOT}/logs/validate.log",
    benchmark:
        f"{ROOT}/benchmarks/validate.tsv"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=20,
    message:
        "Estimates held against what is known to be true"
    script:
        "../scripts/validate.py"
