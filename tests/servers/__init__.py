"""Two real inference servers on tiny random models, called and loaded by brownout: `make test-servers`."""
