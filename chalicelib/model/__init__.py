"""From a dataset to a model in service: jobs, gate, registry, rollout."""
