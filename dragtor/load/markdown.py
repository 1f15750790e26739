"""Markdown to the plain text of a Document: headings stay as `#` lines, other markup goes.

Knows nothing of where the markdown comes from. Time grows with the length of the input, also
on nasty input: inline markup is parsed in bounded stretches.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from html import unescape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.tree import SyntaxTreeNode

MAX_INLINE_CHARS = 8_000  # of one stretch of inline markup; the parser is quadratic within it
MAX_INLINE_BRACKETS = 48  # likewise
MAX_NESTING = 60  # lists and quotes inside each other; of a deeper text the markup is kept

# Each alternative ends at the end of the text at the latest, so that no scan is repeated.
_HIDDEN = re.compile(r"<!--.*?(?:-->|\Z)|<(script|style)\b.*?(?:</\1\s*>|\Z)", re.S | re.I)
_BREAK = re.compile(r"</?(?:br|p|div|li|tr|h[1-6]|summary|details|dt|dd)\b[^<>]*>", re.I)
_TAG = re.compile(r"</?[a-z!?][^<>]*>", re.I)
_HEADING_LIKE = re.compile(r"^(?=#{1,6}[ \t])", re.M)


def plain_text(markdown: str) -> str:
    """Unwrap links and emphasis, drop images and HTML tags, keep the words.

    Headings are lines of `# ` to `###### `, list items open with `- ` or `1. `, a table row is
    one line with ` | ` between cells, code is indented by four spaces; blank lines part blocks.
    """
    from markdown_it.tree import SyntaxTreeNode

    env: dict[str, object] = {}
    tokens = _parser().parse(markdown, env)
    if any(token.level >= MAX_NESTING - 1 for token in tokens):
        return markdown.strip()  # the parser drops all that follows such nesting
    return _blocks(SyntaxTreeNode(tokens), env)


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"maxNesting": MAX_NESTING})
    return parser.enable(["table", "strikethrough"]).disable("inline")


def _blocks(node: SyntaxTreeNode, env: dict[str, object]) -> str:
    return "\n\n".join(filter(None, (_block(child, env) for child in node.children)))


def _block(node: SyntaxTreeNode, env: dict[str, object]) -> str:
    match node.type:
        case "heading":
            words = _words(node, env)
            return f"{'#' * int(node.tag[1])} {words}" if words else ""
        case "paragraph":
            return _HEADING_LIKE.sub(" ", _inline(node.children[0].content, env))
        case "bullet_list" | "ordered_list":
            return "\n".join(filter(None, (_list_item(item, env) for item in node.children)))
        case "table":
            rows = [row.children for part in node.children for row in part.children]
            return "\n".join(" | ".join(_words(cell, env) for cell in row) for row in rows)
        case "fence" | "code_block":
            return _indent(node.content.rstrip("\n"), "    ")
        case "html_block":
            return _html_text(node.content)
        case "hr":
            return ""
        case _:
            return _blocks(node, env)


def _list_item(node: SyntaxTreeNode, env: dict[str, object]) -> str:
    marker = f"{node.info}. " if node.info else "- "
    parts: list[str] = []
    for child in node.children:
        text = _block(child, env)
        if text and parts and not child.type.endswith("_list"):
            parts.append("")
        if text:
            parts.append(text)
    return marker + _indent("\n".join(parts), "  ").removeprefix("  ") if parts else ""


def _words(node: SyntaxTreeNode, env: dict[str, object]) -> str:
    return " ".join(_inline(node.children[0].content, env).split())


def _indent(text: str, by: str) -> str:
    return "\n".join(by + line if line else line for line in text.split("\n"))


def _inline(content: str, env: dict[str, object]) -> str:
    """Text of inline markup: emphasis and links unwrapped, images and tags gone."""
    out: list[str] = []
    parser = _parser()
    for stretch in _stretches(content):
        for token in parser.inline.parse(stretch, parser, env, []):
            if token.type in ("text", "text_special", "code_inline"):
                out.append(token.content)
            elif token.type == "softbreak":
                out.append(" ")
            elif token.type == "hardbreak" or _BREAK.match(token.content or ""):
                out.append("\n")
    lines = ("".join(out)).split("\n")
    return "\n".join(filter(None, (line.strip() for line in lines)))


def _stretches(content: str) -> Iterator[str]:
    """Cut overlong inline content where markup is unlikely to go on, keeping every character."""
    start = 0
    while start < len(content):
        end = _reach(content, start)
        if end < len(content):
            for mark in ("\n", ") ", ". ", " "):
                if (cut := content.rfind(mark, (start + end) // 2, end)) >= 0:
                    end = cut + len(mark) - 1 or end
                    break
        yield content[start:end]
        start = end


def _reach(content: str, start: int) -> int:
    end = min(len(content), start + MAX_INLINE_CHARS)
    at = start
    for _ in range(MAX_INLINE_BRACKETS):
        at = content.find("[", at, end) + 1
        if not at:
            return end
    return at


def _html_text(html: str) -> str:
    text = _TAG.sub("", _BREAK.sub("\n", _HIDDEN.sub("", html)))
    lines = (" ".join(line.split()) for line in unescape(text).split("\n"))
    return _HEADING_LIKE.sub(" ", "\n".join(filter(None, lines)))
