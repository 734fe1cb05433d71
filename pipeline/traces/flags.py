"""Words that the grouping of neurons may put beside a number."""

FLAGS = {
    "neurons_not_shared": "Recordings share their units (ensembles.grouping), and so many neurons are left out of "
    "them: some recordings have them, but not every one has or can use them.",
}
