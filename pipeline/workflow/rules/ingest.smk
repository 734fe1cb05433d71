"""Recordings as they come from the lab, or simulated ones with their truth, in one layout."""

SIMULATED = [name for name in STUDY.names if STUDY.row(name)["format"] == "simulate"]
READ = [name for name in STUDY.names if name not in SIMULATED]
KNOWN = [name for name in READ if STUDY.row(name).get("truth")]


rule ingest:
    input:
        lambda wildcards: targets.raw_files(STUDY, wildcards.recording),
    output:
        f"{ROOT}/recordings/{{recording}}.nc",
    log:
        f"{ROOT}/logs/ingest/{{recording}}.log",
    benchmark:
        f"{ROOT}/benchmarks/ingest/{{recording}}.tsv"
    wildcard_constraints:
        recording="|".join(READ) or "none",
    threads: 1
    resources:
        mem_mb=4000,
        runtime=10,
    params:
        row=lambda wildcards: STUDY.row(wildcards.recording),
    message:
        "Reading recording {wildcards.recording}"
    script:
        "../scripts/ingest.py"


rule simulate:
    output:
        recording=f"{ROOT}/recordings/{{recording}}.nc",
        truth=f"{ROOT}/recordings/{{recording}}.truth.json",
    log:
        f"{ROOT}/logs/simulate/{{recording}}.log",
    benchmark:
        f"{ROOT}/benchmarks/simulate/{{recording}}.tsv"
    wildcard_constraints:
        recording="|".join(SIMULATED) or "none",
    threads: 1
    resources:
        mem_mb=4000,
        runtime=10,
    params:
        row=lambda wildcards: STUDY.row(wildcards.recording),
        windows=lambda wildcards: STUDY.sheet_of(wildcards.recording),
        conditions=STUDY.parameters.conditions,
        index=lambda wildcards: targets.subject_index(STUDY, wildcards.recording),
        seed=STUDY.parameters.seed,
        simulate=targets.section(STUDY, "simulate"),
    message:
        "Simulating recording {wildcards.recording}"
    script:
        "../scripts/simulate.py"


rule truth:
    input:
        lambda wildcards: targets.raw_files(STUDY, wildcards.recording, ("truth",)),
    output:
        f"{ROOT}/recordings/{{recording}}.truth.json",
    log:
        f"{ROOT}/logs/truth/{{recording}}.log",
    benchmark:
        f"{ROOT}/benchmarks/truth/{{recording}}.tsv"
    wildcard_constraints:
        recording="|".join(KNOWN) or "none",
    threads: 1
    resources:
        mem_mb=1000,
        runtime=5,
    params:
        path=lambda wildcards: STUDY.row(wildcards.recording)["truth"],
    message:
        "Truth of recording {wildcards.recording}"
    script:
        "../scripts/truth.py"


rule windows:
    input:
        recording=f"{ROOT}/recordings/{{recording}}.nc",
        codes=lambda wildcards: targets.raw_files(
            STUDY, wildcards.recording, ("state_codes",)
        ),
    output:
        f"{ROOT}/windows/{{recording}}.csv",
    log:
        f"{ROOT}/logs/windows/{{recording}}.log",
    benchmark:
        f"{ROOT}/benchmarks/windows/{{recording}}.tsv"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=10,
    params:
        row=lambda wildcards: STUDY.row(wildcards.recording),
        sheet=lambda wildcards: STUDY.sheet_of(wildcards.recording),
        state_codes=STUDY.state_codes(),
    message:
        "Windows of {wildcards.recording}"
    script:
        "../scripts/windows.py"
