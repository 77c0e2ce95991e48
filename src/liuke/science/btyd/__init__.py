"""Buy till you die: how often members buy while they stay, and how they leave unseen.

`summary` reads a log, `bgnbd`, `mbgnbd` and `paretonbd` fit and foretell orders, `gammagamma` money per order,
`goodness` holds a fit against what was observed. Time is counted in weeks.
"""
