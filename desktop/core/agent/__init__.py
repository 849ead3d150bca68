"""The laptop's side of the agent: archive, deploy, and the client of its verbs."""
