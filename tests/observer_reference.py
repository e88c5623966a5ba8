"""Numbers for src/observer/*_test.cc, by NumPy: prints what the tests hold.

    python3 tests/observer_reference.py

The entropy procedure is written down as it was published (Migacz, GTC 2017), bin by bin.
"""

import numpy as np


def chance(seed, count):
    """Knuth's MMIX generator, its upper 32 bits."""
    state, out = seed, []
    for _ in range(count):
        state = (state * 6364136223846793005 + 1442695040888963407) % (1 << 64)
        out.append(state >> 32)
    return out


def values():
    """Twenty thousand with heavy tails, more below 0 than above."""
    u = np.array(chance(1, 20000), dtype=np.float64) / 2**32 - 0.6
    return (u * u * u * u * u * 50).astype(np.float32)


def counts():
    """2048 bins that fall off, with a thin tail full of gaps."""
    c = chance(2, 2048)
    return np.array([4000000 // (40 + b * b) + (r % 3 if r % 7 == 0 else 0) for b, r in enumerate(c)])


def divergence(bins, i, levels):
    p = bins[:i].astype(np.float64)
    p[i - 1] += bins[i:].sum()
    q = np.zeros(i)
    run = np.arange(i) * levels // i
    for k in range(levels):
        inside = (run == k) & (bins[:i] > 0)
        if inside.any():
            q[inside] = bins[:i][inside].sum() / inside.sum()
    p /= p.sum()
    q /= q.sum()
    if ((p > 0) & (q == 0)).any():
        return np.inf
    held = p > 0
    return float((p[held] * np.log(p[held] / q[held])).sum())


def main():
    x = values()
    print("values", x.min(), x.max())
    for percentile in (50, 99, 99.9, 99.99):
        print(percentile, repr(float(np.percentile(x, 100 - percentile))), repr(float(np.percentile(x, percentile))))
    bins = counts()
    print("counts", bins.sum(), bins[-1])
    for levels in (8, 128, 256):
        all = {i: divergence(bins, i, levels) for i in range(levels, 2049)}
        best = min(all, key=all.get)
        print(levels, "levels: least at", best, repr(all[best]), "; at", [(i, all[i]) for i in (levels, 300, 1000, 2047, 2048)],
              "; infinite", sum(np.isinf(v) for v in all.values()))


if __name__ == "__main__":
    main()
