"""All stories; each has a machine of its own, which is started anew for every chapter."""

from . import errands, evening, morning, moving, restarts, troubles

STORIES = (
    # The longest begin.
    (moving.chapter,),
    (evening.chapter, morning.chapter),
    (troubles.chapter,),
    (restarts.chapter,),
    (errands.chapter,),
)
NAMED = {chapter.name: chapter for story in STORIES for chapter in story}
