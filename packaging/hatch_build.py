"""Puts programs that were built before into the wheel, and says which machines they are for.

It builds nothing. Two variables tell it everything: the folder that holds the programs, and the wheel's tag.
"""

import os
from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PROGRAMS = ("deploy-job", "deploy-app", "deploy-model", "promote-stage", "domino-pipeline")


class Programs(BuildHookInterface):
    PLUGIN_NAME = "custom"

    def initialize(self, version, build_data):
        try:
            folder = Path(os.environ["DOMINO_DEPLOY_PROGRAMS"])
            tag = os.environ["DOMINO_DEPLOY_TAG"]
        except KeyError as missing:
            raise SystemExit(f"{missing.args[0]} is not set: build the wheel with `cargo xtask wheel`") from None
        build_data["pure_python"] = False
        build_data["tag"] = tag
        build_data["shared_scripts"] = {str(folder / program): program for program in PROGRAMS}
