"""The stages of the pipeline, one coroutine each: they receive, ask a port or the pure core, and send."""
