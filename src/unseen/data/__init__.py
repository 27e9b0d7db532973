"""Tables, schemas and where they come from."""
