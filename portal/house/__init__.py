"""The ground under a checkout: interpreter, virtual environment, embedded servers, processes. Standard library only."""
