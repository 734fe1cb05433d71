"""Grouping encoder: which units form which macro unit, and when that is ON, learned by gradient.

Assignment and mapping are discrete. Forward, every step scores a hard grouping exactly, on all 2**n
states; backward, the gradient flows through the relaxed one (Gumbel-softmax, straight-through: Jang,
Gu & Poole 2017). Membership and threshold enter the macro TPM as probabilities, so the gradient at a
hard grouping is that of the multilinear extension: what moving one unit, or one threshold, would do.
The best hard grouping of each restart then goes up by single moves and swaps until none is better.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, overload

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from pipeline.base.arrays import Array, Floats, Ints
from pipeline.base.errors import PhiscaleError, Problem
from pipeline.base.raster import encode
from pipeline.macro.ascent import Ascent, Candidate, Micro
from pipeline.macro.groupings import TIE, Grouping, allowed_thresholds, check, exhaustive
from pipeline.macro.objectives import ObjectiveName, objective_of
from pipeline.macro.parameters import MAPPINGS, RESTARTS, STEPS, scale_sizes
from pipeline.tpm.estimation import point_estimates
from pipeline.tpm.support import MAX_UNITS

LEARNING_RATE = 0.05
TEMPERATURE = (1.0, 0.5)  # of the relaxation, first and last step, falling geometrically
EMPTY = 1e-9  # weight of the plain average in a macro state that no micro state maps to


@overload
def learn_grouping(
    tpm_or_states: Array | xr.Dataset,
    n_macro: int,
    mappings: Sequence[str] = ...,
    restarts: int = ...,
    steps: int = ...,
    seed: int = ...,
    method: str = ...,
    objective: ObjectiveName = ...,
) -> Grouping: ...
@overload
def learn_grouping(
    tpm_or_states: Array | xr.Dataset,
    n_macro: Sequence[int] | Literal["all"],
    mappings: Sequence[str] = ...,
    restarts: int = ...,
    steps: int = ...,
    seed: int = ...,
    method: str = ...,
    objective: ObjectiveName = ...,
) -> dict[int, Grouping]: ...
def learn_grouping(
    tpm_or_states: Array | xr.Dataset,
    n_macro: int | Sequence[int] | Literal["all"],
    mappings: Sequence[str] = MAPPINGS,
    restarts: int = RESTARTS,
    steps: int = STEPS,
    seed: int = 0,
    method: str = "encoder",
    objective: ObjectiveName = "effective_information",
) -> Grouping | dict[int, Grouping]:
    """Group micro units into `n_macro` macro units whose derived TPM has the largest effective information, or phi_s.

    All restarts are trained together, on effective information, which has a gradient; each then climbs by the
    objective from the best hard grouping that it passed through.

    Args:
        tpm_or_states: P(ON), (2**n, n) little-endian, a dataset of `pipeline.tpm.estimate`, or states (frame, unit)
            of 0 and 1 (then a logistic TPM at lag 1 is estimated first).
        n_macro: number of macro units; several, or "all" (n - 1 to 1), share what is computed.
        mappings: state mappings that a macro unit may take.
        restarts: initialisations.
        steps: training steps of each.
        seed: same seed, same result.
        method: "encoder"; "exhaustive" tries every grouping instead (up to 6 units).
        objective: what is climbed at last. phi_s weighs states by how often they occur; of a bare TPM all alike.

    Returns:
        The best of all, with the number of restarts that ended there; of several numbers of macro units a dict.

    Raises:
        PhiscaleError: impossible sizes, unknown mappings or methods.
    """
    p_on, visits = _observed(tpm_or_states)
    if method not in ("encoder", "exhaustive"):
        raise PhiscaleError(Problem("method", f"'{method}' is not 'encoder' or 'exhaustive'", fix="choose one"))
    sizes = scale_sizes(n_macro, p_on.shape[1])
    for size in sizes:
        check(p_on.shape[1], size, mappings)
    micro, goal = Micro.of(p_on[None], visits if visits is None else visits[None]), objective_of(objective)
    ascent = Ascent(micro, mappings, goal)
    found = {}
    for size in sizes:
        if method == "exhaustive":
            found[size] = exhaustive(p_on, size, mappings, goal, visits)[0]
        else:
            found[size] = best_of(proposals(ascent, size, restarts, steps, seed))
    return found[n_macro] if isinstance(n_macro, int) else found


def proposals(ascent: Ascent, n_macro: int, restarts: int, steps: int, seed: int) -> list[Grouping]:
    """Return the groupings at which the restarts of the encoder end, after they have climbed.

    Args:
        ascent: of the micro TPMs; the encoder is trained on the mean over them.
        n_macro: number of macro units.
        restarts: initialisations.
        steps: training steps of each.
        seed: same seed, same result.
    """
    trained = _train(ascent.micro.p_on, n_macro, ascent.allowed, restarts, steps, seed)
    starts = [Candidate.of_group(group.tolist(), ks.tolist()) for group, ks in trained]
    if not starts:  # few steps, and every grouping that was passed left a macro unit empty
        starts = ascent.at_random(n_macro, 1, np.random.default_rng(seed))
    tops = [ascent.run(start) for start in starts]
    return [c.grouping(ascent.allowed, value) for c, value in zip(tops, ascent.values(tops).tolist(), strict=True)]


def best_of(found: Sequence[Grouping]) -> Grouping:
    """Return the best of the groupings at which restarts ended, and how many ended there.

    Args:
        found: one of each restart.
    """
    top = max(g.objective for g in found)
    best = min((g for g in found if g.objective > top - TIE), key=lambda g: (g.group, g.mapping))
    return replace(best, agreement=sum(g.objective > top - TIE for g in found))


class GroupingEncoder(torch.nn.Module):
    """Logits of membership (restart, unit, macro unit) and of thresholds (restart, macro unit, k = 1..n).

    Args:
        p_on: (window, state, unit) micro TPMs.
        n_macro: number of macro units.
        allowed: (size, k) whether a macro unit of that size may have threshold k.
        restarts: initialisations.
        rng: draws them.
    """

    p_on: Tensor
    micro: Tensor
    macro: Tensor
    allowed: Tensor

    def __init__(self, p_on: Tensor, n_macro: int, allowed: Tensor, restarts: int, rng: torch.Generator) -> None:
        super().__init__()
        n = p_on.shape[-1]
        self.membership = torch.nn.Parameter(_normal((restarts, n, n_macro), rng))
        self.threshold = torch.nn.Parameter(_normal((restarts, n_macro, n), rng))
        self.register_buffer("p_on", p_on)
        self.register_buffer("micro", _bits(n))
        self.register_buffer("macro", _bits(n_macro))
        self.register_buffer("allowed", allowed)

    def forward(self, temperature: float, rng: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """Sample one hard grouping per restart.

        Args:
            temperature: of the relaxation.
            rng: draws the sample.

        Returns:
            EI (restart,) [bit], one-hot members (restart, unit, macro unit), one-hot thresholds (restart, macro
            unit, k).
        """
        member = _straight_through(self.membership, temperature, rng)
        sizes = member.detach().sum(dim=1).round().long()
        masked = self.threshold.masked_fill(~self.allowed[sizes], -torch.inf)
        k = _straight_through(masked, temperature, rng)
        return self._effective_information(member, k), member.detach(), k.detach()

    def _effective_information(self, member: Tensor, k: Tensor) -> Tensor:
        """EI (restart,) of the macro TPM, mean over windows; micro states within count alike, and macro states."""
        windows, n_states, n = self.p_on.shape
        restarts, m = k.shape[:2]
        now = _at_least(self.micro, member, k)  # (restart, macro unit, micro state)
        later = _at_least(self.p_on.reshape(-1, n), member, k).reshape(restarts, m, windows, n_states)
        weight = _joint(now)[:, None] + EMPTY  # (restart, 1, macro state, micro state)
        macro = weight @ later.permute(0, 2, 3, 1) / weight.sum(dim=3, keepdim=True)
        tpm = _joint(macro.flatten(0, 1).transpose(1, 2)).transpose(1, 2)  # (restart and window, macro state, next)
        information = _entropy(tpm.mean(dim=1)) - _entropy(tpm).mean(dim=1)
        return information.reshape(restarts, windows).mean(dim=1)


def _train(
    p_on: Floats,
    n_macro: int,
    mappings: Sequence[str],
    restarts: int,
    steps: int,
    seed: int,
) -> list[tuple[Ints, Ints]]:
    """Best hard grouping of each restart: group (unit,) and thresholds (macro unit,)."""
    torch.set_num_threads(1)
    rng = torch.Generator().manual_seed(seed % 2**63)
    n = p_on.shape[-1]
    allowed = torch.zeros(n + 1, n, dtype=torch.bool)
    for size in range(1, n + 1):
        allowed[size, [k - 1 for k in allowed_thresholds(size, mappings)]] = True
    allowed[0, 0] = True  # an empty group: never ON, and so never the best
    encoder = GroupingEncoder(torch.tensor(p_on), n_macro, allowed, restarts, rng)
    optimizer = torch.optim.Adam(encoder.parameters(), lr=LEARNING_RATE)
    first, last = TEMPERATURE
    best = torch.full((restarts,), -torch.inf, dtype=torch.float64)
    groups = torch.zeros(restarts, n, dtype=torch.long)
    thresholds = torch.zeros(restarts, n_macro, dtype=torch.long)
    for step in range(steps):
        value, member, k = encoder(first * (last / first) ** (step / max(1, steps - 1)), rng)
        optimizer.zero_grad()
        (-value.sum()).backward()
        optimizer.step()
        full = (member.sum(dim=1) > 0.5).all(dim=1)
        better = full & (value.detach() > best + TIE)
        best[better] = value.detach()[better]
        groups[better] = member.argmax(dim=2)[better]
        thresholds[better] = k.argmax(dim=2)[better] + 1
    return [(groups[r].numpy(), thresholds[r].numpy()) for r in range(restarts) if best[r] > -torch.inf]


def _straight_through(logits: Tensor, temperature: float, rng: torch.Generator) -> Tensor:
    """One-hot sample of softmax(logits) over the last axis; its gradient is that of the relaxed sample."""
    uniform = torch.rand(logits.shape, generator=rng, dtype=logits.dtype).clamp_min(1e-12)
    soft = torch.softmax((logits - torch.log(-torch.log(uniform))) / temperature, dim=-1)
    hard = torch.nn.functional.one_hot(soft.argmax(dim=-1), soft.shape[-1]).to(soft.dtype)
    return hard + soft - soft.detach()


def _at_least(p_on: Tensor, member: Tensor, k: Tensor) -> Tensor:
    """P(at least k of a group's units are ON), (restart, group, row), for P(ON) (row, unit)."""
    restarts, n, n_macro = member.shape
    count = torch.ones(restarts, n_macro, len(p_on), 1, dtype=p_on.dtype)
    for unit in range(n):
        p = (member[:, unit, :, None] * p_on[:, unit])[..., None]
        on = count * p
        pad = torch.nn.functional.pad
        count = pad(count - on, (0, 1)) + pad(on, (1, 0))
    tail = count.flip(-1).cumsum(-1).flip(-1)[..., 1:]
    return (tail * k[:, :, None, :]).sum(dim=-1)


def _joint(p_on: Tensor) -> Tensor:
    """Joint distribution (restart, 2**m, row) of independent units with P(ON) (restart, m, row)."""
    joint = torch.ones_like(p_on[:, :1])
    for unit in range(p_on.shape[1]):
        p = p_on[:, unit : unit + 1]
        joint = torch.cat([joint * (1 - p), joint * p], dim=1)
    return joint


def _entropy(p: Tensor) -> Tensor:
    """Shannon entropy [bit] over the last axis."""
    bits: Tensor = -torch.special.xlogy(p, p.clamp_min(1e-300)).sum(dim=-1) / np.log(2)
    return bits


def _bits(n: int) -> Tensor:
    return ((torch.arange(2**n)[:, None] >> torch.arange(n)) & 1).to(torch.float64)


def _normal(shape: tuple[int, ...], rng: torch.Generator) -> Tensor:
    return torch.randn(shape, generator=rng, dtype=torch.float64)


def _observed(tpm_or_states: Array | xr.Dataset) -> tuple[Floats, Array | None]:
    """Micro P(ON) (2**n, n), and the frames in each state, from whatever was given; None where they are not known."""
    if isinstance(tpm_or_states, xr.Dataset):
        known: Floats = tpm_or_states["p_on"].transpose("state", "unit").values
        return known, tpm_or_states["visits"].values if "visits" in tpm_or_states else None
    array = np.asarray(tpm_or_states)
    if array.ndim != 2 or array.shape[1] > MAX_UNITS:
        raise PhiscaleError(
            Problem(
                "learn_grouping",
                f"an array of shape {array.shape}",
                fix=f"give a TPM (2**n, n) or states (frame, unit), at most {MAX_UNITS} units",
            )
        )
    if len(array) == 2 ** array.shape[1]:
        return array.astype(float), None
    return point_estimates(array), np.bincount(encode(array), minlength=2 ** array.shape[1])
