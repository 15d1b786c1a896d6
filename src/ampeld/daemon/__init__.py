"""The composition root: settings, channels, wiring, the pipeline page, telemetry, shutdown."""
