"""Every module that registers faults."""

from tests.faults import estate, jobs, live, source
from tests.faults.fault import FAULTS

__all__ = ["FAULTS", "estate", "jobs", "live", "source"]
