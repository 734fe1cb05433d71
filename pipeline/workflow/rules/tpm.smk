"""Unit TPM of each window, with posterior draws."""


rule tpm:
    input:
        f"{ROOT}/states/{{recording}}-k{{k}}.nc",
    output:
        f"{ROOT}/tpm/{{recording}}/{{window}}/micro-{{k}}.nc",
    log:
        f"{ROOT}/logs/tpm/{{recording}}/{{window}}/micro-{{k}}.log",
    benchmark:
        f"{ROOT}/benchmarks/tpm/{{recording}}/{{window}}/micro-{{k}}.tsv"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=20,
    params:
        tpm=targets.section(STUDY, "tpm"),
        min_frames=STUDY.parameters.binarize.min_frames,
        seed=STUDY.parameters.seed,
    message:
        "Estimating the unit TPM of {wildcards.recording}, window {wildcards.window}"
    script:
        "../scripts/tpm.py"
