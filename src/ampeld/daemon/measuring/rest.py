"""What of a case is still to be measured, when some of its jobs are done and others never will be."""

from collections.abc import Collection, Mapping, Sequence

import msgspec

from ampeld.feature.work import Case, Job, Measurement


def to_measure(case: Case) -> list[int]:
    """Return the positions of the jobs that `ampeld.feature.work.measure_case` measures, in its order."""
    return [position for position, job in enumerate(case.jobs) if job.known is None and not job.failed]


def rest_of(
    case: Case, done: Mapping[int, Measurement], left_out: Collection[int]
) -> tuple[Case, Sequence[int]] | None:
    """Return the case of the jobs that remain, and the position that each of its jobs has in the whole one.

    Parameters
    ----------
    case
        The whole one.
    done
        What is measured, by position: it is an input to others now.
    left_out
        What is not measured, by position; neither is what builds upon it.

    Returns
    -------
    tuple or None
        None when nothing remains.
    """
    if not done and not left_out:
        return (case, range(len(case.jobs))) if to_measure(case) else None
    out = set(left_out)
    places: dict[int, int] = {}
    jobs: list[Job] = []
    for position, job in enumerate(case.jobs):
        if position in out or not out.isdisjoint(job.inputs):
            out.add(position)
            continue
        measured = done.get(position)
        if measured is not None:
            job = msgspec.structs.replace(job, known=measured.body, failed=measured.body is None)  # noqa: PLW2901
        places[position] = len(jobs)
        jobs.append(msgspec.structs.replace(job, inputs=tuple(places[i] if i >= 0 else -1 for i in job.inputs)))
    rest = msgspec.structs.replace(case, jobs=jobs)
    return (rest, list(places)) if to_measure(rest) else None
