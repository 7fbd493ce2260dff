"""Many episodes: bounded concurrency, a file that a killed run goes on with, and a cluster."""
