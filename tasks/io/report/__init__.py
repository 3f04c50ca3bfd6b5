"""The report: what happened, as one HTML page, as short Markdown and as pictures."""

from tasks.io.report.gallery import pictures
from tasks.io.report.markdown import as_markdown
from tasks.io.report.page import render, write_report
from tasks.io.report.story import AgentStory, Link, Round, Step, Story

__all__ = [
    "AgentStory",
    "Link",
    "Round",
    "Step",
    "Story",
    "as_markdown",
    "pictures",
    "render",
    "write_report",
]
