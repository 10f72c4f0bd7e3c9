// The messages of Proto/, as protoc-c compiles them; Proto/generate.sh writes the files below.
#pragma once
#include "turbine/v1/client.pb-c.h"
#include "turbine/v1/common.pb-c.h"
#include "turbine/v1/worker.pb-c.h"
