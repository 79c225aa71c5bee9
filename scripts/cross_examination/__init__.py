"""What other tools find about the deployed stack, held against the checklist: scripts/cross-examine.sh.

No part of the suite: the suite never needs these tools, and nothing in verification/ knows of them.
"""
