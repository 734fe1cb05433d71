"""The page that a lab reads, and where everything came from."""


rule report:
    input:
        tables=[
            f"{ROOT}/{name}.csv"
            for name in (
                "summary",
                "nulls",
                "comparison",
                "fits",
                "truth",
                "true_groupings",
            )
        ],
        recordings=targets.per_recording(STUDY, "recordings/{recording}.nc", OMIT),
        windows=targets.per_recording(STUDY, "windows/{recording}.csv", OMIT),
        preprocessed=targets.per_recording(STUDY, "preprocessed/{recording}.nc", OMIT),
        quality=targets.per_recording(STUDY, "quality/{recording}.csv", OMIT),
        states=targets.per_recording(STUDY, f"states/{{recording}}-k{UNITS}.nc", OMIT),
        ensembles=targets.per_recording(
            STUDY, f"ensembles/{{recording}}-k{UNITS}.nc", OMIT
        ),
        tpm=targets.per_system(STUDY, "tpm/{recording}/{window}/{system}.nc", OMIT),
        phi=targets.per_system(STUDY, "phi/{recording}/{window}/{system}.nc", OMIT),
        truth=[
            f"{ROOT}/recordings/{name}.truth.json"
            for name in SIMULATED + KNOWN
            if name not in OMIT
        ],
    output:
        page=f"{ROOT}/report.html",
        figures=directory(f"{ROOT}/figures"),
        provenance=f"{ROOT}/provenance.json",
    log:
        f"{ROOT}/logs/report.log",
    benchmark:
        f"{ROOT}/benchmarks/report.tsv"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=20,
    params:
        study=STUDY.parameters.model_dump(mode="json"),
        recordings=targets.recordings_table(STUDY),
        failures=failures(STUDY),
    message:
        "Report"
    script:
        "../scripts/report.py"
