// OpenBLAS: the C interface and the few calls that configure it.
#include <cblas.h>
