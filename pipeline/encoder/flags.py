"""Words that a learned hierarchy may put beside a number."""

FLAGS = {
    "short_gap": "The window is too short to keep the held-out blocks one autocorrelation time away from what trains: "
    "slow activity is then told of by its neighbourhood, in the data and in the nulls alike.",
    "linear_start": "No step of training improved the prediction of the held-out blocks in any of the seeds, so the "
    "hierarchy is the linear one that it started from: the window is too short to learn more than that.",
    "not_factorised": "Latents of the macro model change together more than their past tells (p <= 0.05 for the most "
    "correlated pair, Bonferroni-corrected), so that its TPM, in which units are independent given the past, is not "
    "that of the latents: phi of the macro model is then that of the nearest system that factorises.",
}
