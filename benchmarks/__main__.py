"""All figures of the README, one after the other: `python -m benchmarks`."""

from benchmarks import audit, credentials, idle, lateness, main_job, preview, render, review, rules

for module in (render, preview, idle, lateness, main_job, rules, credentials, review, audit):
    print(f"\n== {(module.__doc__ or '').strip().splitlines()[0]}")
    module.main([])
