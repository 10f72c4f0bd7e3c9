// protobuf-c.
#include <protobuf-c/protobuf-c.h>
