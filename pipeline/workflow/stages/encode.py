"""Learn the hierarchy of every window of one recording, with its seeds and its surrogates."""

import torch

from pipeline.base.errors import PhiscaleError, Problem
from pipeline.base.files import load
from pipeline.base.seeds import derive
from pipeline.encoder.multiscale import activity_of, learn_window, told
from pipeline.encoder.weights import save_weights
from pipeline.results.columns import LATENTS, WINDOW_COLUMNS
from pipeline.results.layout import SystemKey
from pipeline.results.reader import read_table
from pipeline.workflow.job import Job


def run(job: Job) -> None:
    """Write one group per window, and the weights; one that cannot be learned is noted and left out."""
    torch.set_num_threads(1)  # more would add up in another order
    p, ensembles = job.params, load(job.input.ensembles)
    windows = read_table(job.input.windows, WINDOW_COLUMNS)
    parts, found, weights = activity_of(ensembles, windows, p.encoder["bin_s"]), {}, {}
    for name in dict.fromkeys(windows["window"]):
        with job.part(window=name):
            if name not in parts:
                raise PhiscaleError(Problem(f"window {name!r}", "has no two frames", "No hierarchy can be learned"))
            seed = derive(p.seed, "encode", job.recording, name)
            learned = learn_window(parts[name], ensembles, window=name, seed=seed, **p.encoder)
            attrs = {"recording": job.recording, "subject": ensembles.attrs["subject"], "window": name}
            key = SystemKey(job.recording, name, LATENTS, ensembles.sizes["ensemble"])
            found[key.group] = told(learned, ensembles).assign_attrs(attrs)
            weights[name] = learned.data
    job.keep(found, job.output.encoder)
    save_weights(weights, ensembles["ensemble"].values.astype(str).tolist(), job.output.weights)
