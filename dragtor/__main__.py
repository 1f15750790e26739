"""`python -m dragtor`: the command line.

Knows nothing else.
"""

from dragtor.cli import main

main()
