print("turbine")
