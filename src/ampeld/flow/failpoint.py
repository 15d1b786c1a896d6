"""Named places where a test can make the process die as by ``kill -9``, to prove that nothing is lost there.

``AMPELD_FAILPOINT=after_points:3`` kills the process the third time it reaches ``after_points``.
Without the variable a failpoint costs one comparison.
"""

import os
import signal

_name, _, _count = os.environ.get("AMPELD_FAILPOINT", "").partition(":")
_left = int(_count or 1)


def reach(name: str) -> None:
    """Die here and now if the environment asks for it at this point."""
    global _left  # noqa: PLW0603  the countdown of the one failpoint of this process
    if name != _name:
        return
    _left -= 1
    if _left <= 0:
        os.kill(os.getpid(), signal.SIGKILL)
