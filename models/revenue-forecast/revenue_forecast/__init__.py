"""Monthly revenue per product line: history in, forecast with the user's growth projections out."""
