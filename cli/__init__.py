"""The driftloop command: talks to whatever cloud it is pointed at, by boto3 alone."""
