// libzmq, and the wake-up descriptor that its poll loop waits for beside its sockets.
#pragma once
#include <errno.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <zmq.h>

/// A non-blocking event counter, or -1 with errno.
static inline int turbine_eventfd_open(void) {
    return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}
