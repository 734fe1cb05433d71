"""The page that a lab reads, and where everything came from."""


rule report:
    input:
        tables=[LAYOUT.of_study(name) for name in TABLES],
        recordings=targets.files(STUDY, "recording", OMIT),
        preprocessed=targets.files(STUDY, "preprocessed", OMIT),
        ensembles=targets.files(STUDY, "ensembles", OMIT),
        windows=targets.files(STUDY, "windows", OMIT),
        states=targets.files(STUDY, "states", OMIT),
        quality=targets.files(STUDY, "quality", OMIT),
        tpms=[
            path
            for name in STUDY.names
            if name not in OMIT
            for path in targets.tpms(STUDY, name, OMIT)
        ],
        phi=targets.files(STUDY, "phi", OMIT),
        encoder=targets.encoded(STUDY, OMIT),
        macro_models=targets.macro_models(
            STUDY, [*OMIT], [name for name in STUDY.names if name not in OMIT]
        ),
        multiscale=targets.multiscale(STUDY),
        truth=targets.files(STUDY, "truth", OMIT, KNOWN),
        multiverse=targets.multiverse(STUDY),
        problems=targets.problems(STUDY),
    output:
        page=LAYOUT.of_study("page"),
        methods=LAYOUT.of_study("methods"),
        figures=directory(LAYOUT.of_study("figures")),
        provenance=LAYOUT.of_study("provenance"),
    log:
        LAYOUT.study_log("report"),
    threads: 1
    resources:
        mem_mb=4000,
        runtime=20,
    params:
        study=STUDY.parameters.model_dump(mode="json"),
        recordings=targets.recordings_table(STUDY),
        asked=Asked.by(STUDY).plain(),
    message:
        "Report"
    run:
        WORKERS.run(rule, (input, output, log), params, wildcards, threads)
