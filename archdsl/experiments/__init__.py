"""Carry experiments out: their runs, the measures of them, the rules, and a report.

`schedule.py` says which runs, `single.py` carries one out, `pool.py` several at a time, `measures.py` reads them,
`findings.py` puts them together, and `report/` writes them. Importing this imports no torch.
"""
