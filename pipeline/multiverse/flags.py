"""Words that the table of specifications may put beside one."""

FLAGS = {
    "incomplete": "A recording, a window or a system failed in this specification; the subjects that are left give its "
    "difference.",
}
