#!/usr/bin/env bash
# What Domino runs to start the app. Domino expects it to listen on 0.0.0.0:8888; APP_HOST and APP_PORT say
# otherwise where several apps share a machine.
set -euo pipefail

exec python3 "$(dirname "${BASH_SOURCE[0]}")/dashboard.py"
