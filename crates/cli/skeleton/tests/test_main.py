"""Run with: python -m unittest discover tests"""

import sys
import unittest
from decimal import Decimal
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
from main import totals  # noqa: E402


class TotalsTest(unittest.TestCase):
    def test_amounts_are_added_up_by_region_and_currency(self):
        rows = [
            {"region": "South", "amount": "0.10", "currency": "EUR"},
            {"region": "North", "amount": "1", "currency": "EUR"},
            {"region": "South", "amount": "0.20", "currency": "EUR"},
        ]
        self.assertEqual(totals(rows), [("North", "EUR", Decimal("1")), ("South", "EUR", Decimal("0.30"))])

    def test_no_rows_come_to_nothing(self):
        self.assertEqual(totals([]), [])


if __name__ == "__main__":
    unittest.main()
