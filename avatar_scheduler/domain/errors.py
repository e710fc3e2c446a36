"""The few ways a request can fail. The message is written for the person who must act on it.

SchedulerError
  NotFound        nothing there that you may see
  Conflict        somebody was faster, or the state forbids it now
  Forbidden       you may not
  Invalid         the input is wrong: says what, where and what to do
  Refused         a rule of ours or of the platform says no, for certain
  OutcomeUnknown  sent, and nobody knows whether it arrived
"""


class SchedulerError(Exception):
    """`code` is stable for machines; the message is for people and carries no secret."""

    code = "error"

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        if code:
            self.code = code


class NotFound(SchedulerError):
    code = "not_found"


class Conflict(SchedulerError):
    code = "conflict"


class Forbidden(SchedulerError):
    code = "forbidden"


class Invalid(SchedulerError):
    code = "invalid"


class Refused(SchedulerError):
    code = "refused"


class OutcomeUnknown(SchedulerError):
    code = "outcome_unknown"
