"""The model's command: `python main.py` reads and writes where the DROPCAST_* variables say."""

import os
import sys

from revenue_forecast.job import main

if __name__ == "__main__":
    sys.exit(main(os.environ))
