"""The model's one command: `python main.py`, told where to read and write by DROPCAST_* variables."""

import os
import sys

from revenue_forecast.job import main

if __name__ == "__main__":
    sys.exit(main(os.environ))
