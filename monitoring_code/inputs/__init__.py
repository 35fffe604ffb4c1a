"""What a monitoring job reads: the job's contract, captured traffic, ground truth, datasets."""
