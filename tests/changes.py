"""A small catalogue of workflows and a guide, as an installation would declare them."""

WORKFLOWS = """\
format: crossing-workflows/1
area: flights
title: Flights
workflows:
  - id: log_delay
    title: Log a delay
    segments: [major, regional]
    roles: [member]
    parity: changed
    old: {place: Ops › Delays, path: ops/delays.do, way: Type it.}
    new: {place: Flights › Delay, path: flights/delay, way: Choose it.}
    differences: [Codes have names.]
    compat: {toggle: compat.codes, title: Old codes, longest_days: 60}
    entity: flights
  - id: swap_crew
    title: Swap crew
    segments: [major]
    roles: [member, admin]
    parity: planned
    arrives_on: 2027-02-15
    old: {place: Crew › Swap, path: crew/swap.do, way: Press F9.}
    differences: [Not there yet.]
"""

GUIDE = """\
---
format: crossing-guide/1
title: Delays
summary: How to log one.
roles: [member]
segments: [major]
workflows: [log_delay]
places:
  - {old: F1 card, new: Help}
minutes: 4
updated_on: 2026-11-18
version: 2
---
## Log a delay

Read [the workflow](../../workflows/log_delay/).
"""
