"""What every floor stands on: errors, identifiers, canonical bytes, events, the plug-in registry.

Imports nothing of ours.
"""
