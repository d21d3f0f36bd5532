"""What every auction has: commands in, decisions out, whatever its format.

commands, outcomes        what is asked, what became of it
parameters, state         what is agreed, what is remembered
format                    what is asked of a format and of a version
apply, controls, timeline, stages, repeats   one command: time, buyer, cids
entry, guard, bidding, placing, answers      from a typed price to a standing bid
standing, scoring, overtime, automatic, abnormal, hybrid   the parts of it
"""
