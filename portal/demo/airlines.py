"""The demo's tenants: the sixteen carriers of 2013, and the story that each tells."""

from dataclasses import dataclass
from enum import StrEnum

PEOPLE = {"owner": "Olivia Owen", "admin": "Adam Minsk", "auditor": "Aude Thorel", "member": "Mira Ember"}
"""Who works at every airline, by the role they have here: `<role>@<airline>.example`."""


class Story(StrEnum):
    """What a tenant of the demo shows."""

    READY = "ready to sign"
    BLOCKED = "blocked by honest problems"
    MOVED = "past cutover"
    WAITING = "not begun"


@dataclass(frozen=True, slots=True)
class Airline:
    """A tenant: its key in legacy, how it is addressed, and where it is at home."""

    code: str
    slug: str
    name: str
    segment: str
    time_zone: str = "America/New_York"
    story: Story = Story.WAITING

    @property
    def domain(self) -> str:
        """The domain its people's addresses have."""
        return f"{self.slug}.example"


AIRLINES = (
    Airline("B6", "jetblue", "JetBlue Airways", "major", story=Story.READY),
    Airline("AA", "american", "American Airlines", "major", "America/Chicago", Story.BLOCKED),
    Airline("VX", "virgin-america", "Virgin America", "national", "America/Los_Angeles", Story.MOVED),
    Airline("9E", "endeavor", "Endeavor Air", "regional", "America/Chicago"),
    Airline("AS", "alaska", "Alaska Airlines", "major", "America/Los_Angeles"),
    Airline("DL", "delta", "Delta Air Lines", "major"),
    Airline("EV", "expressjet", "ExpressJet Airlines", "regional"),
    Airline("F9", "frontier", "Frontier Airlines", "national", "America/Denver"),
    Airline("FL", "airtran", "AirTran Airways", "national"),
    Airline("HA", "hawaiian", "Hawaiian Airlines", "national", "Pacific/Honolulu"),
    Airline("MQ", "envoy", "Envoy Air", "regional", "America/Chicago"),
    Airline("OO", "skywest", "SkyWest Airlines", "regional", "America/Denver"),
    Airline("UA", "united", "United Air Lines", "major", "America/Chicago"),
    Airline("US", "us-airways", "US Airways", "major", "America/Phoenix"),
    Airline("WN", "southwest", "Southwest Airlines", "major", "America/Chicago"),
    Airline("YV", "mesa", "Mesa Airlines", "regional", "America/Phoenix"),
)


def of_story(story: Story) -> list[Airline]:
    """Return the airlines that tell a story."""
    return [airline for airline in AIRLINES if airline.story is story]
