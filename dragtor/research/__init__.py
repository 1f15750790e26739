"""Research: a fixed plan of steps over the library and, where it is allowed, the web.

entity.py and question.py have their orders of steps, run.py what both share; plan.py names queries
and sub-questions, subject.py tells namesakes apart, sift.py sorts sentences into sections, write.py
makes verified claims of them, budget.py ends it.
"""

from dragtor.research.entity import EntityInquiry
from dragtor.research.question import QuestionInquiry
from dragtor.research.run import Granted, Inquiry, Researcher, ResearchParts
from dragtor.research.subject import Subject

__all__ = [
    "EntityInquiry",
    "Granted",
    "Inquiry",
    "QuestionInquiry",
    "ResearchParts",
    "Researcher",
    "Subject",
]
