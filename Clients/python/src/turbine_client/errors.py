"""What can go wrong, as exceptions."""

from . import messages


class TurbineError(Exception):
    """Any failure of a request."""


class RequestError(TurbineError):
    """The service refused the request, or the job failed.

    ``code`` is a lower-case name of the protocol's ErrorCode (``"queue_full"``), ``field`` the
    path of the field at fault or ``""``, ``retryable`` whether the same request may succeed later,
    ``retry_after`` the wait before that in seconds if the service named one, ``job_id`` the job
    that failed, or ``None`` if nothing had been accepted.
    """

    def __init__(self, code, field="", sentence="", retryable=False, retry_after=None,
                 estimated=None, job_id=None):
        super().__init__(sentence or code)
        self.code = code
        self.field = field
        self.retryable = retryable
        self.retry_after = retry_after
        self.estimated = estimated
        self.job_id = job_id

    @classmethod
    def from_reply(cls, failed):
        error = failed.error

        def seconds(field):
            return getattr(error, field) / 1000 if error.HasField(field) else None

        return cls(
            code=messages.name_of("ErrorCode", error.code, fallback="internal"),
            field=error.field, sentence=error.sentence, retryable=error.retryable,
            retry_after=seconds("retry_after_ms"), estimated=seconds("estimated_ms"),
            job_id=failed.job_id or None)


class JobCancelledError(TurbineError):
    """The job was cancelled by someone else: another client, an operator, the deadline."""

    def __init__(self, reason, job_id):
        super().__init__(f"job {job_id} was cancelled: {reason}")
        self.reason = reason
        self.job_id = job_id


class NoAnswerError(TurbineError):
    """The service did not answer in time: it is down, elsewhere, or does not know the key."""
