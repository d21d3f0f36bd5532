"""The practice room: a private auction under real rules against bots, without consequences.

strategy    how a bot decides, pure; the bots of the demo play by it too
rules       a lot's terms shortened to minutes, and who the bots are
models, queries, schemas, service, jobs, api
"""
