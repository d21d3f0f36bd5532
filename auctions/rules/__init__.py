"""What a bid means: pure decisions over an ordered log. `apply(state, command)` is the entry.

terms, parameters, phase_terms, reading, terms_view   rules as JSON <-> Terms
commands, outcomes                                    what is asked, what became of it
state, standing                                       what is remembered; who is where
apply, controls, timeline, stages, repeats            one command: time, buyer, cids
formats: english, rounds, sealed, dutch, japanese,
last_word                                             what a bid means in each
hybrid                                                what a Dutch clock hands on to later phases
entry, guard, bidding, placing, answers               from a typed price to a standing bid
scoring, overtime, automatic, abnormal                the parts of it
limits, visibility, projection                        what a bidder may know
plain*, guide                                         the same in words
simulate                                              a past log under other rules
"""
