"""The state machines, written with the AWS Step Functions Data Science SDK.

`python -m statemachines` compiles them to the ASL JSON beside them; the JSON is what deploys.
"""
