// RunnerHub
