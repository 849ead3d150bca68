"""The agent on the rented host: standard library only, Python 3.8, travels as one zipapp.

Walk it in this order: `wire` (what crosses), `verbs` (what can be asked), `runs` (where a run
lives), `supervisor` (who works), `graph` (in which order), `tasks` (what is done).
"""

__version__ = "0.1.0"
