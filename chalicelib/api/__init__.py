"""The REST API: routes, bodies, and what they answer."""
