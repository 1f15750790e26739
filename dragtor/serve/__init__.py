"""One server for the page, for sockets, for OpenAI's clients and for MCP.

Every part is a module of its own; jobs.py runs what takes long, app.py puts the routes together.
"""
