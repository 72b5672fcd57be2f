"""What `brownout.run` raises. A gate that was judged raises nothing: its result says `fail`.

GateError            base class
 |- UsageError       wrong options or an invalid file: exit code 2 of `brownout gate`; the message is the command's
 '- GateFailed       the gate left no result that can be trusted; the message has the end of its output
     '- GateTimeout  it took longer than `timeout_s`, and was ended (also a TimeoutError)
"""

__all__ = ["GateError", "GateFailed", "GateTimeout", "UsageError"]


class GateError(Exception):
    """Base class of what `brownout.run` raises."""


class UsageError(GateError):
    """Wrong options or an invalid file. Nothing was played."""


class GateFailed(GateError):
    """The gate left no result that can be trusted."""


class GateTimeout(GateFailed, TimeoutError):
    """The gate took longer than `timeout_s`, and got SIGINT. The message says whether its faults were reverted."""
