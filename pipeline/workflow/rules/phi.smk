"""Integrated information of every system, of its surrogates, and of conditions that are made alike."""


rule phi:
    input:
        tpms=lambda wildcards: targets.tpms(STUDY, wildcards.recording, OMIT),
        macro_models=lambda wildcards: targets.macro_models(
            STUDY, OMIT, [wildcards.recording]
        ),
    output:
        phi=LAYOUT.of("phi"),
    log:
        LAYOUT.log("phi"),
    threads: 1
    resources:
        mem_mb=4000,
        runtime=360,
    params:
        iit=targets.section(STUDY, "iit"),
    message:
        "Integrated information of {wildcards.recording}"
    run:
        WORKERS.run(rule, (input, output, log), params, wildcards, threads)


rule nulls:
    input:
        states=LAYOUT.of("states", k=UNITS),
        tpms=lambda wildcards: targets.tpms(STUDY, wildcards.recording, OMIT),
        macro_models=lambda wildcards: targets.macro_models(
            STUDY, OMIT, [wildcards.recording]
        ),
        windows=LAYOUT.of("windows") if ON_TRACES else [],
        ensembles=LAYOUT.of("ensembles", k=UNITS) if ON_TRACES else [],
    output:
        nulls=LAYOUT.of("nulls"),
    log:
        LAYOUT.log("nulls"),
    priority: plan.LONG
    threads: 1
    resources:
        mem_mb=4000,
        runtime=360,
    params:
        nulls=targets.section(STUDY, "nulls", "shown", "detection", "hidden_surrogates"),
        hidden_surrogates=STUDY.parameters.nulls.hidden_surrogates,
        mappings=STUDY.parameters.macro.mappings,
        iit=targets.section(
            STUDY, "iit", "big_phi_draws", "structures", "min_row_visits"
        ),
        binarize=targets.section(STUDY, "binarize") if ON_TRACES else {},
        seed=STUDY.parameters.seed,
    message:
        "Nulls of {wildcards.recording}"
    run:
        WORKERS.run(rule, (input, output, log), params, wildcards, threads)


rule detection:
    input:
        states=LAYOUT.of("states", k=UNITS),
        tpm=LAYOUT.of("tpm"),
    output:
        detection=LAYOUT.of("detection"),
    log:
        LAYOUT.log("detection"),
    threads: 1
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        repeats=STUDY.parameters.nulls.detection,
        seed=STUDY.parameters.seed,
    message:
        "Differences in {wildcards.recording} under equal detection"
    run:
        WORKERS.run(rule, (input, output, log), params, wildcards, threads)


rule matched:
    input:
        states=lambda wildcards: targets.of_subject(
            STUDY, "states", wildcards.recording, OMIT
        ),
        tpm=lambda wildcards: targets.of_subject(
            STUDY, "tpm", wildcards.recording, OMIT
        ),
        systems=lambda wildcards: targets.tpms(STUDY, wildcards.recording, OMIT),
    output:
        matched=LAYOUT.of("matched"),
    log:
        LAYOUT.log("matched"),
    threads: 1
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        contrasts=STUDY.contrasts(),
        repeats=STUDY.parameters.compare.repeats,
        min_frames=STUDY.parameters.binarize.min_frames,
        min_visits=STUDY.parameters.iit.min_visits,
        seed=STUDY.parameters.seed,
    message:
        "phi_s of {wildcards.recording} with length and event rate matched"
    run:
        WORKERS.run(rule, (input, output, log), params, wildcards, threads)
