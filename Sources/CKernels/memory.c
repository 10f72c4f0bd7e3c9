// How the process gives memory back.
#include <malloc.h>

#include "CKernels.h"

void ck_keep_freed_memory(void) {
    mallopt(M_MMAP_THRESHOLD, 1 << 30);
    mallopt(M_TRIM_THRESHOLD, 2147483647);
}
