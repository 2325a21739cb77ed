"""A program that offers tools by MCP, made with the protocol's own library; tests start it."""

import asyncio
import os
from pathlib import Path
from typing import Literal

from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError

pantry = MCPServer("pantry")


@pantry.tool()
def count(what: str, unit: Literal["pieces", "grams"] = "pieces", shelf: int | None = None) -> str:
    """Counts what is there."""
    return f"3 {unit} of {what}" + (f" on shelf {shelf}" if shelf else "")


@pantry.tool()
def spill(characters: int) -> str:
    """Says too much."""
    return "x" * characters


@pantry.tool()
def eat(what: str) -> str:
    """Fails."""
    raise ToolError(f"there is no {what}")


@pantry.tool()
async def wait() -> str:
    """Takes its time."""
    await asyncio.sleep(1000)
    return "ready"


@pantry.tool()
def environment() -> str:
    """Tells what it knows of its world."""
    return f"{sorted(os.environ)} in {Path.cwd()}"


@pantry.tool()
async def stock(ctx: Context) -> str:
    """Gets another tool."""
    pantry.add_tool(spill, name="pour")
    await ctx.session.send_tool_list_changed()
    return "stocked"


@pantry.tool()
def fall() -> str:
    """Ends in the middle of a call."""
    os.write(2, b"the shelf breaks")
    os._exit(3)


if __name__ == "__main__":
    pantry.run("stdio")
