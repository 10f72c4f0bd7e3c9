// A small pool for data-parallel loops. Threads spin for a moment before they sleep, because the
// loops of a small model follow each other within microseconds.
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "CKernels.h"

#if defined(__x86_64__)
#define PAUSE() __builtin_ia32_pause()
#else
#define PAUSE() ((void)0)
#endif

enum { SPIN_NANOSECONDS = 60000 };

struct ck_pool {
    int threads;
    pthread_t *handles;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    atomic_uint_fast64_t generation;  // raised for each loop, under the mutex
    int open;                         // under the mutex: whether a thread may still join the loop
    int stopping;                     // under the mutex
    atomic_int active;                // pool threads inside the loop; raised under the mutex
    atomic_int_fast64_t next;
    int64_t count;
    void (*body)(void *, int64_t, int);
    void *context;
};

struct start {
    struct ck_pool *pool;
    int slot;
};

static int64_t now_nanoseconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void work(struct ck_pool *p, int slot) {
    for (;;) {
        int64_t i = atomic_fetch_add_explicit(&p->next, 1, memory_order_relaxed);
        if (i >= p->count) return;
        p->body(p->context, i, slot);
    }
}

static void wait_for(struct ck_pool *p, uint64_t seen) {
    int64_t limit = now_nanoseconds() + SPIN_NANOSECONDS;
    for (int i = 1; atomic_load_explicit(&p->generation, memory_order_acquire) == seen; i++) {
        PAUSE();
        if (i % 64 == 0 && now_nanoseconds() > limit) break;
    }
    if (atomic_load_explicit(&p->generation, memory_order_acquire) != seen) return;
    pthread_mutex_lock(&p->mutex);
    while (atomic_load(&p->generation) == seen) pthread_cond_wait(&p->wake, &p->mutex);
    pthread_mutex_unlock(&p->mutex);
}

static void *thread_main(void *argument) {
    struct start start = *(struct start *)argument;
    free(argument);
    struct ck_pool *p = start.pool;
    for (uint64_t seen = 0;;) {
        wait_for(p, seen);
        pthread_mutex_lock(&p->mutex);
        seen = atomic_load(&p->generation);
        int joins = p->open, stops = p->stopping;
        if (joins) atomic_fetch_add(&p->active, 1);
        pthread_mutex_unlock(&p->mutex);
        if (stops) return NULL;
        if (!joins) continue;
        work(p, start.slot);
        atomic_fetch_sub_explicit(&p->active, 1, memory_order_release);
    }
}

ck_pool *ck_pool_create(int threads) {
    if (threads < 1) threads = 1;
    struct ck_pool *p = calloc(1, sizeof *p);
    if (!p) return NULL;
    p->handles = calloc((size_t)threads, sizeof *p->handles);
    pthread_mutex_init(&p->mutex, NULL);
    pthread_cond_init(&p->wake, NULL);
    p->threads = 1;
    for (int slot = 1; slot < threads; slot++) {
        struct start *start = malloc(sizeof *start);
        *start = (struct start){p, slot};
        if (pthread_create(&p->handles[slot], NULL, thread_main, start) != 0) {
            free(start);
            ck_pool_destroy(p);
            return NULL;
        }
        p->threads++;
    }
    return p;
}

void ck_pool_destroy(ck_pool *p) {
    pthread_mutex_lock(&p->mutex);
    p->stopping = 1;
    atomic_fetch_add(&p->generation, 1);
    pthread_cond_broadcast(&p->wake);
    pthread_mutex_unlock(&p->mutex);
    for (int slot = 1; slot < p->threads; slot++) pthread_join(p->handles[slot], NULL);
    pthread_cond_destroy(&p->wake);
    pthread_mutex_destroy(&p->mutex);
    free(p->handles);
    free(p);
}

void ck_pool_run(
    ck_pool *p, int64_t count, void (*body)(void *, int64_t, int), void *context) {
    if (p->threads == 1 || count <= 1) {
        for (int64_t i = 0; i < count; i++) body(context, i, 0);
        return;
    }
    pthread_mutex_lock(&p->mutex);
    p->count = count;
    p->body = body;
    p->context = context;
    p->open = 1;
    atomic_store(&p->next, 0);
    atomic_fetch_add_explicit(&p->generation, 1, memory_order_release);
    pthread_cond_broadcast(&p->wake);
    pthread_mutex_unlock(&p->mutex);
    work(p, 0);
    // A thread that has not joined by now finds the loop closed: nobody waits for it to wake.
    pthread_mutex_lock(&p->mutex);
    p->open = 0;
    pthread_mutex_unlock(&p->mutex);
    for (int i = 1; atomic_load_explicit(&p->active, memory_order_acquire) > 0; i++) {
        if (i < 20000) PAUSE();
        else nanosleep(&(struct timespec){0, 20000}, NULL);
    }
}
