"""Integrated information of every system, and of its surrogates."""


rule integrate:
    input:
        f"{ROOT}/tpm/{{recording}}/{{window}}/{{system}}.nc",
    output:
        f"{ROOT}/phi/{{recording}}/{{window}}/{{system}}.nc",
    log:
        f"{ROOT}/logs/integrate/{{recording}}/{{window}}/{{system}}.log",
    benchmark:
        f"{ROOT}/benchmarks/integrate/{{recording}}/{{window}}/{{system}}.tsv"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=120,
    params:
        iit=targets.section(STUDY, "iit"),
    message:
        "Integrated information of {wildcards.recording}, window {wildcards.window}, {wildcards.system}"
    script:
        "../scripts/integrate.py"


rule nulls:
    input:
        states=f"{ROOT}/states/{{recording}}-k{UNITS}.nc",
        tpm=f"{ROOT}/tpm/{{recording}}/{{window}}/{{system}}.nc",
    output:
        f"{ROOT}/nulls/{{recording}}/{{window}}/{{system}}.nc",
    log:
        f"{ROOT}/logs/nulls/{{recording}}/{{window}}/{{system}}.log",
    benchmark:
        f"{ROOT}/benchmarks/nulls/{{recording}}/{{window}}/{{system}}.tsv"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=120,
    params:
        nulls=targets.section(STUDY, "nulls"),
        mappings=STUDY.parameters.macro.mappings,
        big_phi_max_units=STUDY.parameters.iit.big_phi_max_units,
        min_visits=STUDY.parameters.iit.min_visits,
        seed=STUDY.parameters.seed,
    message:
        "Nulls of {wildcards.recording}, window {wildcards.window}, {wildcards.system}"
    script:
        "../scripts/nulls.py"
