#include "CTurbineProto.h"
