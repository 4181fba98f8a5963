// The machine's peak of fused multiply-adds in single precision: one line, GFLOP/s, for the number of threads given.
// Built by run.py with -O3 -march=native, so that the widest vectors are used.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#if defined(__AVX512F__)
#define WIDTH 16
#define CHAINS 24
#elif defined(__AVX__)
#define WIDTH 8
#define CHAINS 12
#else
#define WIDTH 4
#define CHAINS 24
#endif
typedef float vector __attribute__((vector_size(4 * WIDTH)));

enum { ROUNDS = 2000000 };

// Enough independent chains to hide the latency of every unit, few enough to stay in registers.
static void *chains(void *result) {
    vector sum[CHAINS], factor, addend;
    for (int lane = 0; lane < WIDTH; lane++) factor[lane] = 0.999f, addend[lane] = 1e-3f;
    for (int i = 0; i < CHAINS; i++) sum[i] = addend * (float)i;
    for (int round = 0; round < ROUNDS; round++) {
#pragma GCC unroll 32
        for (int i = 0; i < CHAINS; i++) sum[i] = sum[i] * factor + addend;
    }
    for (int i = 1; i < CHAINS; i++) sum[0] += sum[i];
    *(float *)result = sum[0][0];
    return NULL;
}

int main(int count, char **words) {
    int threads = count > 1 ? atoi(words[1]) : 1;
    double best = 0;
    for (int attempt = 0; attempt < 7; attempt++) {
        pthread_t ids[64];
        float results[64];
        struct timespec start, end;
        clock_gettime(CLOCK_MONOTONIC, &start);
        for (int i = 0; i < threads && i < 64; i++) pthread_create(&ids[i], NULL, chains, &results[i]);
        for (int i = 0; i < threads && i < 64; i++) pthread_join(ids[i], NULL);
        clock_gettime(CLOCK_MONOTONIC, &end);
        double seconds = (end.tv_sec - start.tv_sec) + 1e-9 * (end.tv_nsec - start.tv_nsec);
        double rate = 2.0 * WIDTH * CHAINS * (double)ROUNDS * threads / seconds / 1e9;
        if (rate > best) best = rate;
    }
    printf("%.1f\n", best);
}
