"""An AWS on this machine: ministack plus what it lacks. It emulates AWS, never the product."""
