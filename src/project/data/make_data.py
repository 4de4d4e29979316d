"""Writes wine.csv: invented wines, the same on every machine.

Nobody measured or tasted these wines. Each feature is drawn from a range that looks plausible, and the
quality is a formula of them plus noise, so that a linear model explains most of it but never all.

    python3 src/project/data/make_data.py            # rewrite wine.csv
    python3 src/project/data/make_data.py --check    # say whether wine.csv is what this file writes
"""

import pathlib
import random
import sys

WINE_CSV = pathlib.Path(__file__).resolve().with_name("wine.csv")
SEED = 20260101
ROWS = 640

HEADER = """\
# Synthetic data: these wines do not exist and nobody tasted them.
# Written by make_data.py with a fixed seed; change that file, not this one.
# Acidities, sugar, chlorides and sulphates in g/l, alcohol in % by volume, quality from 0 to 10.
"""
COLUMNS = "fixed_acidity,volatile_acidity,residual_sugar,chlorides,sulphates,ph,alcohol,quality"


def wine(chance: random.Random) -> str:
    """One line of the file."""
    ripeness = chance.gauss(0, 1)  # what makes sugar, alcohol and acidity move together
    fixed_acidity = min(max(chance.gauss(7.4 - 0.4 * ripeness, 0.9), 4.5), 11.5)
    volatile_acidity = min(max(chance.gauss(0.48, 0.15), 0.12), 1.1)
    residual_sugar = min(max(chance.gauss(2.6 + 0.5 * ripeness, 0.8), 0.9), 8.0)
    chlorides = min(max(chance.gauss(0.08, 0.02), 0.02), 0.2)
    sulphates = min(max(chance.gauss(0.65, 0.14), 0.3), 1.3)
    ph = min(max(chance.gauss(3.9 - 0.08 * fixed_acidity, 0.09), 2.8), 3.9)
    alcohol = min(max(chance.gauss(10.8 + 0.6 * ripeness, 0.8), 8.5), 14.5)

    liking = (
        5.8
        + 0.45 * (alcohol - 10.8)
        - 2.1 * (volatile_acidity - 0.48)
        + 1.7 * (sulphates - 0.65)
        - 6.0 * (chlorides - 0.08)
        - 0.10 * (residual_sugar - 2.6) ** 2  # too dry and too sweet both cost: no line fits this
        + chance.gauss(0, 0.38)
    )
    quality = min(max(liking, 0.0), 10.0)
    return (
        f"{fixed_acidity:.1f},{volatile_acidity:.2f},{residual_sugar:.1f},{chlorides:.3f},"
        f"{sulphates:.2f},{ph:.2f},{alcohol:.1f},{quality:.1f}"
    )


def document() -> str:
    """The whole file."""
    chance = random.Random(SEED)
    return HEADER + COLUMNS + "\n" + "".join(wine(chance) + "\n" for _ in range(ROWS))


def main(arguments: list[str]) -> int:
    """Write the file, or compare it."""
    if arguments == ["--check"]:
        fresh = WINE_CSV.exists() and WINE_CSV.read_text(encoding="utf-8") == document()
        print(f"{WINE_CSV.name} is {'as written' if fresh else 'not what make_data.py writes'}")
        return 0 if fresh else 1
    if arguments:
        print("usage: make_data.py [--check]", file=sys.stderr)
        return 2
    WINE_CSV.write_text(document(), encoding="utf-8")
    print(f"wrote {ROWS} wines to {WINE_CSV}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
