"""What a step costs: latency of one stream, cost curves against the limits of the machine, capacity of a server."""
