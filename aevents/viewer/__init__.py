"""A page in a browser that shows streams: the server of it, and what goes over the wire."""
