"""The server: one application for the page, the websockets, REST, OpenAI's protocol and MCP.

Knows no command line; loaded by `dragtor serve` and by `uvicorn dragtor.serve:app` only.
"""
