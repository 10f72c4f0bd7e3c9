// libzmq.
#include <zmq.h>
