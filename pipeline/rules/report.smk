"""The page that a lab reads, and where everything came from."""


rule report:
    input:
        f"{ROOT}/summary.csv",
        f"{ROOT}/nulls.csv",
        f"{ROOT}/comparison.csv",
        targets.per_recording(STUDY, "quality/{recording}.csv", OMIT),
        targets.per_recording(STUDY, f"states/{{recording}}-k{UNITS}.nc", OMIT),
        targets.per_recording(STUDY, f"ensembles/{{recording}}-k{UNITS}.nc", OMIT),
        targets.per_system(STUDY, "tpm/{recording}/{window}/{system}.nc", OMIT),
        targets.per_system(STUDY, "phi/{recording}/{window}/{system}.nc", OMIT),
        [
            f"{ROOT}/recordings/{name}.truth.json"
            for name in SIMULATED
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
        recordings=STUDY.recordings.drop(columns="path").to_dict("records"),
        omitted=OMIT,
    message:
        "Report"
    script:
        "../scripts/report.py"
