print("runnerhub")
