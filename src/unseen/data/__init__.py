"""Tables, schemas, identifiers and connectors."""
