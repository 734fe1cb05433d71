"""Learn the joint hierarchy of one recording, and estimate the TPMs of its macro models in every window."""

import torch

from pipeline.base.files import load, save, save_groups
from pipeline.base.seeds import derive
from pipeline.encoder.joint import learn_jointly
from pipeline.encoder.macro_model import macro_tpm
from pipeline.encoder.multiscale import activity_of
from pipeline.encoder.weights import save_weights
from pipeline.results.columns import MACRO_MODEL, WINDOW_COLUMNS
from pipeline.results.layout import SystemKey
from pipeline.results.reader import read_table
from pipeline.workflow.job import Job

SURROGATES = ("surrogate_states", "surrogate_segment")


def run(job: Job) -> None:
    """Write one group per window and scale (one whose TPM cannot be had is noted and left out), latents and weights."""
    torch.set_num_threads(1)  # more would add up in another order
    p, ensembles = job.params, load(job.input.ensembles)
    windows = read_table(job.input.windows, WINDOW_COLUMNS)
    parts = activity_of(ensembles, windows, p.encoder["bin_s"])
    joint = learn_jointly(parts, seed=derive(p.seed, "macro_model", job.recording), **p.encoder)
    about = {"recording": job.recording, "subject": str(ensembles.attrs["subject"])}
    how = {"method": joint.parameters.macro_estimator, "lag": joint.parameters.lag, "draws": p.draws}
    found = {}
    for scale in joint.parameters.macro_models:
        states = joint.states(scale).assign_attrs(about)
        for window in parts:
            key = SystemKey(job.recording, window, MACRO_MODEL, scale)
            with job.part(window=window, system=key.system):
                seed = derive(p.seed, "tpm", job.recording, window, key.system)
                tpm = macro_tpm(states, window, p.min_frames, seed=seed, **how)
                own = states.isel(frame=states["window"].values == window)
                tpm = tpm.assign({name: own[name].drop_vars(own[name].coords) for name in SURROGATES})
                tpm = tpm.assign(loadings=(("ensemble", "unit"), states["loadings"].values))
                found[key.group] = tpm.assign_coords(null=states["null"]).assign_attrs(shown=joint.parameters.shown)
    save_groups(found, job.output.macro_model)
    save(joint.latents().assign_attrs(about), job.output.joint)
    save_weights({"": joint.data}, ensembles["ensemble"].values.astype(str).tolist(), job.output.weights)
