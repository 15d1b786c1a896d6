"""``python -m ampeld`` is ``ampeld``."""

from ampeld.cli.main import main

main()
