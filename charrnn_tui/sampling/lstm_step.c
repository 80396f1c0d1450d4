/* One character of one text through a stacked LSTM and its output, for who writes character by character.
 *
 * Such a step costs what it costs to read the weights, so these are 16-bit multiples of a scale for each column, and lie
 * in the order in which they are read: blocks of WIDTH columns, of each block row after row. Sums and states are float32.
 * Helping threads take blocks from a common counter; while steps follow each other closely they spin, then they sleep.
 * The recurrent products need nothing but the state: helpers begin those of the next character while the caller, after a
 * step, still chooses it. Where the next step starts from another state, they are dropped.
 * Compiled at run time. Gates stand side by side, i f o g, those of i, f, o halved, as in lstm.py.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#define WIDTH 64
#define LINE 32          /* weights in a cache line */
#define ROWS_AHEAD 16    /* prefetched: the processor by itself asks the outer cache for them too late */
#define MOST_HELPERS 63
#define MOST_UNITS 16384 /* of all layers */
#define MOST_LAYERS 64   /* of networks with products worth sharing */
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
        for (int j = 0; j < WIDTH; j += LINE) __builtin_prefetch(&weights[(k + ROWS_AHEAD) * WIDTH + j]);
        for (int j = 0; j < WIDTH; j++) sums[j] += x * (float)weights[k * WIDTH + j];
    }
    int64_t from = block * WIDTH, left = p->by->columns - from;
    for (int j = 0; j < (left < WIDTH ? left : WIDTH); j++) p->y[from + j] = sums[j] * p->by->scale[from + j];
}

static int64_t blocks_of(const product *p) { return (p->by->columns + WIDTH - 1) / WIDTH; }

/* -- many blocks, by as many threads --------------------------------------------------------------------------- */

static const product *work;        /* what is offered, all with as many blocks */
static int64_t work_blocks;        /* of each product */
static _Atomic uint64_t claims;    /* blocks that are offered: 32 bits, blocks taken: 32 */
static _Atomic int64_t finished;   /* blocks of the offer that are done */
static _Atomic int wanted, asleep; /* helpers that may help; helpers that must be woken */
static atomic_flag taken = ATOMIC_FLAG_INIT; /* by the step that may offer */
static int helpers;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t call = PTHREAD_COND_INITIALIZER;

#define BLOCKS(claim) ((int64_t)((claim) >> 32))
#define TAKEN(claim) ((int64_t)((claim) & 0xffffffff))

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
    for (;;) { /* a claim says how many blocks its own offer has: nobody takes one of another */
        uint64_t claim = atomic_fetch_add(&claims, 1);
        if (TAKEN(claim) >= BLOCKS(claim)) return;
        multiply(&work[TAKEN(claim) / work_blocks], TAKEN(claim) % work_blocks);
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

static void forget_all(void);

static void call_helpers(int threads) {
    static int prepared;
    if (!prepared) prepared = pthread_atfork(NULL, NULL, forget_all) == 0;
    while (helpers < threads - 1 && helpers < MOST_HELPERS) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, help, (void *)(intptr_t)helpers)) break;
        pthread_detach(thread);
        helpers++;
    }
    atomic_store(&wanted, threads - 1);
}

/* Offer all blocks of some products of the same number of columns; the offer before must be over. */
static void offer(const product *products, int64_t count) {
    work = products;
    work_blocks = blocks_of(products);
    atomic_store(&finished, 0);
    atomic_store(&claims, (uint64_t)(work_blocks * count) << 32);
    if (atomic_load(&asleep)) {
        pthread_mutex_lock(&mutex);
        pthread_cond_broadcast(&call);
        pthread_mutex_unlock(&mutex);
    }
}

/* Take part in what is offered, until all of it is done. */
static void take_part(void) {
    int64_t all = BLOCKS(atomic_load(&claims));
    take_blocks();
    while (atomic_load(&finished) < all) relax();
}

/* End an offer: what was taken of it gets done, the rest nobody takes any more. */
static void withdraw(void) {
    uint64_t claim = atomic_exchange(&claims, 0);
    int64_t begun = TAKEN(claim) < BLOCKS(claim) ? TAKEN(claim) : BLOCKS(claim);
    while (atomic_load(&finished) < begun) relax();
}

static void multiply_all(const product *p, int shared) {
    if (shared) {
        offer(p, 1);
        take_part();
    } else
        for (int64_t block = 0; block < blocks_of(p); block++) multiply(p, block);
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

/* The recurrent products of a state, begun or done. */
static struct {
    const network *of; /* NULL: of none */
    float h[MOST_UNITS], gates[4 * MOST_UNITS];
    product products[MOST_LAYERS];
} ahead;

static void begin(const network *net, const float *h) {
    ahead.of = net;
    memcpy(ahead.h, h, net->layers * net->n * sizeof *h);
    for (int64_t l = 0; l < net->layers; l++)
        ahead.products[l] = (product){&net->recurrent[l], ahead.h + l * net->n, ahead.gates + l * 4 * net->n};
    offer(ahead.products, net->layers);
}

/* h, c: (layers, n). after: h, then c, then (tokens) logits, where somebody looks at them. */
void step(const network *net, int64_t token, const float *h, const float *c, float *after, int64_t looks,
          int64_t threads) {
    int64_t n = net->n, layers = net->layers;
    int shared = threads > 1 && layers <= MOST_LAYERS && !atomic_flag_test_and_set(&taken);
    float own[shared ? 1 : layers * 4 * n], entered[4 * n], *gates = shared ? ahead.gates : own;
    float *c_after = after + layers * n;
    if (shared) {
        call_helpers((int)threads);
        if (ahead.of != net || memcmp(ahead.h, h, layers * n * sizeof *h)) {
            withdraw();
            begin(net, h);
        }
        take_part();
    } else
        for (int64_t l = 0; l < layers; l++) {
            product recurrent = {&net->recurrent[l], h + l * n, gates + l * 4 * n};
            multiply_all(&recurrent, 0);
        }
    memset(entered, 0, sizeof entered);
    cell(n, gates, entered, net->entering + token * 4 * n, c, after, c_after);
    for (int64_t l = 1; l < layers; l++) {
        product input = {&net->input[l - 1], after + (l - 1) * n, entered};
        multiply_all(&input, shared);
        cell(n, gates + l * 4 * n, entered, net->bias + (l - 1) * 4 * n, c + l * n, after + l * n, c_after + l * n);
    }
    if (looks) {
        float *logits = after + 2 * layers * n;
        product output = {net->output, after + (layers - 1) * n, logits};
        multiply_all(&output, shared);
        for (int64_t v = 0; v < net->output->columns; v++) logits[v] += net->output_bias[v];
    }
    if (shared) {
        begin(net, after);
        atomic_flag_clear(&taken);
    }
}

/* Before the network's memory is given back. */
void forget(const network *net) {
    while (atomic_flag_test_and_set(&taken)) relax();
    if (ahead.of == net) {
        withdraw();
        ahead.of = NULL;
    }
    atomic_flag_clear(&taken);
}

static void forget_all(void) { /* in a forked process there are no helpers */
    helpers = 0;
    ahead.of = NULL;
    atomic_store(&claims, 0);
    atomic_store(&asleep, 0);
    atomic_flag_clear(&taken);
    pthread_mutex_init(&mutex, NULL);
    pthread_cond_init(&call, NULL);
}
