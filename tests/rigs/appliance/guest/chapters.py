"""All stories; each has a machine of its own, which is started anew for every chapter."""

from . import errands, evening, morning, moving, troubles

STORIES = (
    # The longest begins.
    (moving.chapter,),
    (troubles.chapter,),
    (errands.chapter,),
    (evening.chapter, morning.chapter),
)
NAMED = {chapter.name: chapter for story in STORIES for chapter in story}
