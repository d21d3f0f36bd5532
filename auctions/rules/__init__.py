"""What a bid means: pure decisions over an ordered log. `versions` says which rules decide it.

core       commands, state and `apply(state, command) -> (state, outcome)`
parts      what formats are made of: base class, clock, step, overtime, words
formats    one file each, and their registry
versions   the rules that an auction pinned, for ever
terms      rules as JSON <-> Terms
views      what a reader may know: standing, frames, hints, plain words, the guide
simulate   a past log under other rules
"""
