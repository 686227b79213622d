"""The model's refresh: `python refresh.py` reads the history again, whatever is cached."""

import os
import sys

from revenue_forecast.refresh import main

if __name__ == "__main__":
    sys.exit(main(os.environ))
