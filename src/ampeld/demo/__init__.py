"""Embedded servers, the simulated night and its truth: what a newcomer, an author's laptop and the tests run on."""
