"""What driftloop costs and how well it does, each figure against its bar, or a peer's in one run.

A subject is a module here with `measure() -> Iterator[Row | Skipped]`; `python -m benchmarks NAME`
runs it.
"""
