"""What shapes a corpus will produce: lengths, truncation and padding, counted exactly, so that counts can be added."""

from bertshape.profiling.counts import Counts
from bertshape.profiling.document import profile_from_json, profile_to_json, read_profile
from bertshape.profiling.profile import Profile, merge_profiles
from bertshape.profiling.run import profile_files, profile_texts
from bertshape.profiling.summary import Cut, Length, Waste, summarize

__all__ = [
    "Counts",
    "Cut",
    "Length",
    "Profile",
    "Waste",
    "merge_profiles",
    "profile_files",
    "profile_from_json",
    "profile_texts",
    "profile_to_json",
    "read_profile",
    "summarize",
]
