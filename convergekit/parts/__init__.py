"""Events beyond memory, stitched part by part on one machine, by the code of memory.

Everything but who hangs together is local to a cluster: the rows that share an event ID or an
alias, transitively, before any limit applies. So clusters are found once, rows are written once by
their cluster, and each part is stitched and asked as if it were all. What depends on all rows
(`facts`) is found once and handed to every part.
"""
