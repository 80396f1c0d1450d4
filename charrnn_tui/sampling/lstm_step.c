/* One character of one text through a stacked LSTM and its output, for who writes character by character.
 *
 * Such a step costs what it costs to read the weights, so these are 16-bit multiples of a scale for each column, and lie
 * in the order in which they are read: blocks of WIDTH columns, of each block row after row. Sums and states are float32.
 * Helping threads take blocks from a common counter; while steps follow each other closely they spin, then they sleep.
 * Compiled at run time. Gates stand side by side, i f o g, those of i, f, o halved, as in lstm.py.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#define WIDTH 64
#define MOST_HELPERS 63
#define SPIN_NANOSECONDS 300000

typedef struct { /* (rows, columns), the last block filled up with zeros */
    int64_t rows, columns;
    const int16_t *weights; /* (blocks, rows, WIDTH) */
    const float *scale;     /* (columns) */
} matrix;

typedef struct {
    int64_t layers, n;
    const float *entering;   /* (tokens, 4n): the first layer's input and bias, by token */
    const matrix *recurrent; /* (layers), each n to 4n */
    const matrix *input;     /* (layers - 1) */
    const float *bias;       /* (layers - 1, 4n) */
    const matrix *output;    /* n to tokens */
    const float *output_bias;
} network;

typedef struct { const matrix *by; const float *x; float *y; } product;

/* -- one block ------------------------------------------------------------------------------------------------- */

static void multiply(const product *p, int64_t block) {
    const int16_t *weights = p->by->weights + block * p->by->rows * WIDTH;
    float sums[WIDTH] = {0};
    for (int64_t k = 0; k < p->by->rows; k++) {
        float x = p->x[k];
        for (int j = 0; j < WIDTH; j++) sums[j] += x * (float)weights[k * WIDTH + j];
    }
    int64_t from = block * WIDTH, left = p->by->columns - from;
    for (int j = 0; j < (left < WIDTH ? left : WIDTH); j++) p->y[from + j] = sums[j] * p->by->scale[from + j];
}

static int64_t blocks_of(const product *p) { return (p->by->columns + WIDTH - 1) / WIDTH; }

/* -- many blocks, by as many threads --------------------------------------------------------------------------- */

static const product *work;        /* of the phase at hand, all with as many blocks */
static int64_t work_blocks;        /* of each product */
static _Atomic uint64_t claims;    /* phase: 24 bits, blocks in it: 20, blocks taken: 20 */
static _Atomic int64_t finished;   /* blocks of the phase that are done */
static _Atomic int wanted, asleep; /* helpers that may help; helpers that must be woken */
static atomic_flag taken = ATOMIC_FLAG_INIT;
static int helpers;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t call = PTHREAD_COND_INITIALIZER;

#define PHASE(claim) ((claim) >> 40)
#define BLOCKS(claim) (((claim) >> 20) & 0xfffff)
#define TAKEN(claim) ((claim) & 0xfffff)

static void relax(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static int64_t nanoseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void take_blocks(void) {
    for (;;) { /* a claim says of which phase it is and how many blocks that has: nobody takes one of another */
        uint64_t claim = atomic_fetch_add(&claims, 1);
        if (TAKEN(claim) >= BLOCKS(claim)) return;
        int64_t block = TAKEN(claim);
        if (PHASE(claim) & 1) block = BLOCKS(claim) - 1 - block; /* back: what was read last is still in the cache */
        multiply(&work[block / work_blocks], block % work_blocks);
        atomic_fetch_add(&finished, 1);
    }
}

static int has_work(int number) {
    uint64_t claim = atomic_load(&claims);
    return number < atomic_load(&wanted) && TAKEN(claim) < BLOCKS(claim);
}

static void *help(void *argument) {
    int number = (int)(intptr_t)argument;
    for (;;) {
        int64_t until = nanoseconds() + SPIN_NANOSECONDS;
        while (!has_work(number) && nanoseconds() < until)
            for (int pause = 0; pause < 20 && !has_work(number); pause++) relax();
        if (!has_work(number)) {
            pthread_mutex_lock(&mutex);
            atomic_fetch_add(&asleep, 1);
            while (!has_work(number)) pthread_cond_wait(&call, &mutex);
            atomic_fetch_sub(&asleep, 1);
            pthread_mutex_unlock(&mutex);
        }
        take_blocks();
    }
    return NULL;
}

static void forget_helpers(void) { /* in a forked process there are none */
    helpers = 0;
    atomic_store(&asleep, 0);
    atomic_flag_clear(&taken);
    pthread_mutex_init(&mutex, NULL);
    pthread_cond_init(&call, NULL);
}

static void call_helpers(int threads) {
    static int prepared;
    if (!prepared) prepared = pthread_atfork(NULL, NULL, forget_helpers) == 0;
    while (helpers < threads - 1 && helpers < MOST_HELPERS) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, help, (void *)(intptr_t)helpers)) break;
        pthread_detach(thread);
        helpers++;
    }
    atomic_store(&wanted, threads - 1);
}

/* All blocks of some products of the same number of columns; back: in the order that suits the step after. */
static void multiply_all(const product *products, int64_t count, int shared, int back) {
    static uint64_t phase;
    int64_t each = blocks_of(products), all = each * count;
    if (!shared) {
        for (int64_t b = 0; b < all; b++) {
            int64_t block = back ? all - 1 - b : b;
            multiply(&products[block / each], block % each);
        }
        return;
    }
    work = products;
    work_blocks = each;
    atomic_store(&finished, 0);
    phase = (phase & ~(uint64_t)1) + 2 + (uint64_t)back;
    atomic_store(&claims, (phase & 0xffffff) << 40 | (uint64_t)all << 20);
    if (atomic_load(&asleep)) {
        pthread_mutex_lock(&mutex);
        pthread_cond_broadcast(&call);
        pthread_mutex_unlock(&mutex);
    }
    take_blocks();
    while (atomic_load(&finished) < all) relax();
}

/* -- the step -------------------------------------------------------------------------------------------------- */

static inline float from_bits(uint32_t bits) { float x; memcpy(&x, &bits, 4); return x; }
static inline uint32_t bits_of(float x) { uint32_t bits; memcpy(&bits, &x, 4); return bits; }

/* Cody & Waite's reduction to |r| <= ln(2)/2, Cephes' polynomial; relative error below 2e-7. */
static inline float exponential(float x) {
    x = x > 88.0f ? 88.0f : x;
    x = x < -87.0f ? -87.0f : x;
    float n = x * 1.44269504f + 12582912.0f; /* + 1.5 * 2^23: the low bits are the quotient, rounded */
    uint32_t power = (bits_of(n) + 127) << 23;
    n -= 12582912.0f;
    float r = x - n * 0.693359375f + n * 2.12194440e-4f;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    return (p * r * r + r + 1.0f) * from_bits(power);
}
static inline float rise(float x) { return 1.0f / (1.0f + exponential(-2.0f * x)); } /* sigmoid(2x) = (tanh(x) + 1)/2 */

static void cell(int64_t n, const float *restrict gates, const float *restrict more, const float *restrict bias,
                 const float *restrict c, float *restrict h_out, float *restrict c_out) {
    for (int64_t k = 0; k < n; k++) {
        float i = gates[k] + more[k] + bias[k], f = gates[n + k] + more[n + k] + bias[n + k];
        float o = gates[2 * n + k] + more[2 * n + k] + bias[2 * n + k];
        float g = gates[3 * n + k] + more[3 * n + k] + bias[3 * n + k];
        float state = rise(f) * c[k] + rise(i) * (2.0f * rise(g) - 1.0f);
        c_out[k] = state;
        h_out[k] = rise(o) * (2.0f * rise(state) - 1.0f);
    }
}

/* h, c: (layers, n). after: h, then c, then (tokens) logits, where somebody looks at them. */
void step(const network *net, int64_t token, const float *h, const float *c, float *after, int64_t looks,
          int64_t threads) {
    int64_t n = net->n, layers = net->layers;
    float gates[layers][4 * n], entered[4 * n];
    float *c_after = after + layers * n;
    product recurrent[layers];
    static _Atomic unsigned steps;
    int back = (int)(atomic_fetch_add(&steps, 1) & 1), shared = threads > 1 && !atomic_flag_test_and_set(&taken);
    if (shared) call_helpers((int)threads);
    for (int64_t l = 0; l < layers; l++) recurrent[l] = (product){&net->recurrent[l], h + l * n, gates[l]};
    multiply_all(recurrent, layers, shared, back);
    memset(entered, 0, sizeof entered);
    cell(n, gates[0], entered, net->entering + token * 4 * n, c, after, c_after);
    for (int64_t l = 1; l < layers; l++) {
        product input = {&net->input[l - 1], after + (l - 1) * n, entered};
        multiply_all(&input, 1, shared, back);
        cell(n, gates[l], entered, net->bias + (l - 1) * 4 * n, c + l * n, after + l * n, c_after + l * n);
    }
    if (looks) {
        float *logits = after + 2 * layers * n;
        product output = {net->output, after + (layers - 1) * n, logits};
        multiply_all(&output, 1, shared, back);
        for (int64_t v = 0; v < net->output->columns; v++) logits[v] += net->output_bias[v];
    }
    if (shared) atomic_flag_clear(&taken);
}
