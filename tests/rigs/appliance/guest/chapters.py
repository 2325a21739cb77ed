"""All chapters, in the order in which they are told."""

from . import evening, moving, troubles

ALL = (evening.evening, evening.morning, troubles.chapter, moving.chapter)
NAMED = {chapter.name: chapter for chapter in ALL}
