// TurbineClient
