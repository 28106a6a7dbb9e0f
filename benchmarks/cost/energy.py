"""Energy of the processor as the system counts it; where it does not tell, that is said and nothing is estimated.

Linux: RAPL zones under /sys/class/powercap (docs.kernel.org/power/powercap), which only root may read since 2020.
A zone counts the whole package: neighbours on the machine are in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path("/sys/class/powercap")
UNTOLD: Final = "not told by this machine"


@dataclass(frozen=True, slots=True)
class Zone:
    """A package's counter: `energy_uj` in `folder`, which starts again behind `most_uj`."""

    folder: Path
    name: str
    most_uj: int

    def read_uj(self) -> int:
        """Microjoules since some time. OSError or ValueError where it cannot be read."""
        return int((self.folder / "energy_uj").read_text())


class Meter:
    """The packages' energy between `begin` and `joules`.

    Args:
        zones: none where the machine does not tell.
        why: the reason for that.
    """

    def __init__(self, zones: tuple[Zone, ...], why: str = "") -> None:
        self.zones, self.why = zones, why
        self._from: list[int] = []

    def begin(self) -> None:
        """Count from now on."""
        self._from = [zone.read_uj() for zone in self.zones]

    def joules(self) -> float | None:
        """Since `begin`, of all packages; None where the machine does not tell.

        A counter that went back has started again once: E = (now - then) mod (range + 1).
        """
        if not self.zones or not self._from:
            return None
        total = 0
        for zone, then in zip(self.zones, self._from, strict=True):
            total += (zone.read_uj() - then) % (zone.most_uj + 1)
        return total / 1e6

    def facts(self, seconds: float) -> dict[str, Any]:
        """For a row: joules since `begin` and `seconds` of wall time, or why there are none."""
        found = self.joules()
        if found is None:
            return {"energy": f"{UNTOLD}: {self.why}"}
        return {"energy_j": round(found, 3), "energy_wall_s": round(seconds, 3)}


def find(root: Path = ROOT) -> Meter:
    """A meter of the package zones under `root`. Zones inside of a package, and psys (packages and more), are not
    counted again.
    """
    if not root.is_dir():
        return Meter((), f"no {root}")
    zones, refused = [], ""
    for folder in sorted(root.iterdir()):
        if folder.name.count(":") != 1 or not (folder / "name").is_file():
            continue
        try:
            name = (folder / "name").read_text().strip()
            zone = Zone(folder, name, int((folder / "max_energy_range_uj").read_text()))
            if name.startswith("package"):
                zone.read_uj()
                zones.append(zone)
        except (OSError, ValueError) as error:
            refused = f"{folder.name}: {error}"
    if refused:
        return Meter((), refused)  # half of the packages would be a wrong figure
    return Meter(tuple(zones), "" if zones else f"no package zone under {root}")
