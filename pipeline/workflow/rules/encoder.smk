"""Learned hierarchies of multiscale variables, where a study asks for them."""


rule encode:
    input:
        ensembles=LAYOUT.of("ensembles", k=targets.encoder_units(STUDY)),
        windows=LAYOUT.of("windows"),
    output:
        encoder=LAYOUT.of("encoder"),
        weights=LAYOUT.of("encoder_weights"),
    log:
        LAYOUT.log("encode"),
    priority: plan.LONG
    threads: 1
    resources:
        mem_mb=8000,
        runtime=720,
    params:
        encoder=targets.section(STUDY, "encoder", "units"),
        seed=STUDY.parameters.seed,
    message:
        "Learning the hierarchy of {wildcards.recording}"
    run:
        WORKERS.run(rule, (input, output, log), params, wildcards, threads)


rule macro_model:
    input:
        ensembles=LAYOUT.of("ensembles", k=targets.encoder_units(STUDY)),
        windows=LAYOUT.of("windows"),
    output:
        macro_model=LAYOUT.of("macro_model"),
        joint=LAYOUT.of("joint"),
        weights=LAYOUT.of("joint_weights"),
    log:
        LAYOUT.log("macro_model"),
    priority: plan.FIRST
    threads: 1
    resources:
        mem_mb=8000,
        runtime=720,
    params:
        encoder=targets.section(STUDY, "encoder", "units"),
        draws=STUDY.parameters.tpm.draws,
        min_frames=STUDY.parameters.binarize.min_frames,
        seed=STUDY.parameters.seed,
    message:
        "Learning the macro models of {wildcards.recording}"
    run:
        WORKERS.run(rule, (input, output, log), params, wildcards, threads)


rule multiscale:
    input:
        encoder=targets.encoded(STUDY, OMIT),
        joint=targets.joint(STUDY, OMIT),
    output:
        dynamics=LAYOUT.of_study("dynamics"),
        fixed_points=LAYOUT.of_study("fixed_points"),
        stability=LAYOUT.of_study("stability"),
        parquet=[
            LAYOUT.parquet(name) for name in ("dynamics", "fixed_points", "stability")
        ],
    log:
        LAYOUT.study_log("multiscale"),
    threads: 1
    resources:
        mem_mb=4000,
        runtime=20,
    params:
        seed=STUDY.parameters.seed,
    message:
        "Dynamics of latents, and how far they are the same again"
    run:
        WORKERS.run(rule, (input, output, log), params, wildcards, threads)
