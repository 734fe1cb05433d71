"""Macro units learned from the unit TPM, and matched random groupings."""


rule coarse_grain:
    input:
        micro=f"{ROOT}/tpm/{{recording}}/{{window}}/micro-{UNITS}.nc",
        others=lambda wildcards: (
            [
                f"{ROOT}/tpm/{wildcards.recording}/{window}/micro-{UNITS}.nc"
                for window in STUDY.window_names(wildcards.recording)
                if f"{wildcards.recording}/{window}" not in OMIT
            ]
            if STUDY.parameters.macro.grouping == "recording"
            else []
        ),
    output:
        f"{ROOT}/tpm/{{recording}}/{{window}}/macro_units-{{scale}}.nc",
    log:
        f"{ROOT}/logs/coarse_grain/{{recording}}/{{window}}/macro_units-{{scale}}.log",
    benchmark:
        f"{ROOT}/benchmarks/coarse_grain/{{recording}}/{{window}}/macro_units-{{scale}}.tsv"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        macro={
            name: value
            for name, value in targets.section(STUDY, "macro").items()
            if name not in ("scales", "grouping")
        },
        grouping=STUDY.parameters.macro.grouping,
        seed=STUDY.parameters.seed,
    message:
        "Learning {wildcards.scale} macro units of {wildcards.recording}, window {wildcards.window}"
    script:
        "../scripts/coarse_grain.py"
