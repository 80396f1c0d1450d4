/* A character of a text, or of each of some texts, through a stacked LSTM and its output; and the choice of the next.
 *
 * Such a step costs what it costs to read the weights, so these are 15-bit multiples of a scale for each column, and lie
 * in the order in which they are read: blocks of WIDTH columns, of each block two rows after two. What they meet, h,
 * stands in two parts of 15 bits, which is all of it. The products of CHUNK rows are summed up as integers, the chunks
 * one after the other as float32: a text is the same with whatever instructions, alone or among others.
 * Of one text, helping threads take blocks from a common counter; while steps follow each other closely they spin, then
 * they sleep. The recurrent products need nothing but the state: helpers begin those of the next character while the
 * caller, after a step, still chooses it. Where the next step starts from another state, they are dropped.
 * Compiled at run time. Gates stand side by side, i f o g, those of i, f, o halved, as in lstm.py.
 */
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#if defined(__SSE2__)
#include <immintrin.h>
#endif

#define WIDTH 64         /* columns of a block */
#define CHUNK 8          /* rows: 8 * 2^14 * 2^14 is what 32 bits hold */
#define ONE 16384.0f     /* 2^14 */
#define MOST_HELPERS 63
#define MOST_UNITS 16384 /* of all layers */
#define MOST_LAYERS 64   /* of networks with products worth sharing */
#define SPIN_NANOSECONDS 300000

typedef struct { /* (rows, columns), rows filled up to whole chunks, the last block to its width, with zeros */
    int64_t rows, columns;
    const int16_t *weights; /* (blocks, rows / 2, WIDTH, 2) */
    const float *scale;     /* (columns): of what comes out */
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

typedef struct {
    const matrix *by;
    int64_t texts;
    const int16_t *x; /* (texts, 2, rows): as `split` makes it */
    float *y;         /* (texts, columns) */
} product;

/* -- one block ------------------------------------------------------------------------------------------------- */

#if defined(__AVX512VNNI__)
#define LANES 16
#elif defined(__AVX2__)
#define LANES 8
#else
#define LANES 4
#endif
#define PART 4

/* Intel's processors by themselves ask the outer cache too late. AMD's ask in time, and asking once more takes a tenth
 * of their time, or half of it where the weights come from memory.
 */
#if defined(__x86_64__) && !defined(__znver1__) && !defined(__znver2__) && !defined(__znver3__) && \
    !defined(__znver4__) && !defined(__znver5__)
#define PREFETCH(address) __builtin_prefetch(address)
#else
#define PREFETCH(address)
#endif

typedef int32_t ints __attribute__((vector_size(4 * LANES), may_alias));
typedef float floats __attribute__((vector_size(4 * LANES)));

/* In each lane, two numbers of 16 bits by two. */
static inline ints add_products(ints sum, ints a, ints b) {
#if defined(__AVX512VNNI__)
    return (ints)_mm512_dpwssd_epi32((__m512i)sum, (__m512i)a, (__m512i)b);
#elif defined(__AVX2__)
    return sum + (ints)_mm256_madd_epi16((__m256i)a, (__m256i)b);
#elif defined(__SSE2__)
    return sum + (ints)_mm_madd_epi16((__m128i)a, (__m128i)b);
#else
    return sum + ((a << 16) >> 16) * ((b << 16) >> 16) + (a >> 16) * (b >> 16);
#endif
}

/* PART vectors of the columns of a block, as many as stay in registers. */
static void multiply_part(const product *p, int64_t block, int part, int64_t text) {
    int64_t rows = p->by->rows, columns = p->by->columns, from = block * WIDTH + part * PART * LANES;
    const int16_t *x = p->x + text * 2 * rows;
    const ints *weights = (const ints *)(p->by->weights + block * rows * WIDTH) + part * PART;
    floats sums[PART] = {0};
    for (int64_t row = 0; row < rows; row += CHUNK) {
        ints whole[PART] = {0}, rest[PART] = {0};
#pragma GCC unroll 4
        for (int two = 0; two < CHUNK; two += 2, weights += WIDTH / LANES) {
            int32_t wholes, rests;
            memcpy(&wholes, x + row + two, sizeof wholes);
            memcpy(&rests, x + rows + row + two, sizeof rests);
#pragma GCC unroll 4
            for (int v = 0; v < PART; v++) {
                PREFETCH(weights + v + 8 * (WIDTH / LANES));
                whole[v] = add_products(whole[v], weights[v], (ints){0} + wholes);
                rest[v] = add_products(rest[v], weights[v], (ints){0} + rests);
            }
        }
#pragma GCC unroll 4
        for (int v = 0; v < PART; v++)
            sums[v] += __builtin_convertvector(whole[v], floats) + __builtin_convertvector(rest[v], floats) / ONE;
    }
    float of[PART * LANES], *y = p->y + text * columns;
    memcpy(of, sums, sizeof of);
    for (int64_t j = from; j < columns && j < from + PART * LANES; j++) y[j] = of[j - from] * p->by->scale[j];
}

static void multiply(const product *p, int64_t block) {
    for (int64_t text = 0; text < p->texts; text++)
        for (int part = 0; part < WIDTH / LANES / PART; part++) multiply_part(p, block, part, text);
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

#define ROUNDER 12582912.0f /* 1.5 * 2^23: a sum with it has the other number, rounded, in its low bits */

/* Cody & Waite's reduction to |r| <= ln(2)/2, Cephes' polynomial; relative error below 2e-7. */
static inline float exponential(float x) {
    x = x > 88.0f ? 88.0f : x;
    x = x < -87.0f ? -87.0f : x;
    float n = x * 1.44269504f + ROUNDER;
    uint32_t power = (bits_of(n) + 127) << 23;
    n -= ROUNDER;
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

static __attribute__((noinline)) void cell(int64_t n, const float *restrict gates, const float *restrict more,
                                           const float *restrict bias, const float *restrict c, float *restrict h_out,
                                           float *restrict c_out) {
    for (int64_t k = 0; k < n; k++) {
        float i = gates[k] + more[k] + bias[k], f = gates[n + k] + more[n + k] + bias[n + k];
        float o = gates[2 * n + k] + more[2 * n + k] + bias[2 * n + k];
        float g = gates[3 * n + k] + more[3 * n + k] + bias[3 * n + k];
        float state = rise(f) * c[k] + rise(i) * (2.0f * rise(g) - 1.0f);
        c_out[k] = state;
        h_out[k] = rise(o) * (2.0f * rise(state) - 1.0f);
    }
}

/* h, -1 to 1, as multiples of 2^-14, and of 2^-28 what they leave; whether it is that, and no NaN. */
static int split(int64_t n, int64_t rows, const float *restrict h, int16_t *restrict x) {
    int strange = 0;
    for (int64_t k = 0; k < n; k++) {
        float multiple = h[k] * ONE, rounded = multiple + ROUNDER;
        float rest = (multiple - (rounded - ROUNDER)) * ONE + ROUNDER;
        strange |= !(fabsf(multiple) < ONE + 1.0f);
        x[k] = (int16_t)bits_of(rounded);
        x[rows + k] = (int16_t)bits_of(rest);
    }
    return !strange;
}

/* The recurrent products of a state, begun or done. */
static struct {
    const network *of; /* NULL: of none */
    int sound;
    float h[MOST_UNITS], gates[4 * MOST_UNITS];
    int16_t x[2 * (MOST_UNITS + MOST_LAYERS * CHUNK)];
    product products[MOST_LAYERS];
} ahead;

static void begin(const network *net, const float *h) {
    ahead.of = net;
    ahead.sound = 1;
    memcpy(ahead.h, h, net->layers * net->n * sizeof *h);
    int16_t *x = ahead.x;
    for (int64_t l = 0; l < net->layers; l++, x += 2 * net->recurrent[l].rows) {
        memset(x, 0, 2 * net->recurrent[l].rows * sizeof *x);
        ahead.sound &= split(net->n, net->recurrent[l].rows, h + l * net->n, x);
        ahead.products[l] = (product){&net->recurrent[l], 1, x, ahead.gates + l * 4 * net->n};
    }
    offer(ahead.products, net->layers);
}

/* One text. h, c: (layers, n). after: h, then c, then (tokens) logits, where somebody looks at them. */
void step(const network *net, int64_t token, const float *h, const float *c, float *after, int64_t looks,
          int64_t threads) {
    int64_t n = net->n, layers = net->layers;
    int shared = threads > 1 && layers <= MOST_LAYERS && !atomic_flag_test_and_set(&taken), sound = 1;
    float own[shared ? 1 : layers * 4 * n], entered[4 * n], *gates = shared ? ahead.gates : own;
    float *c_after = after + layers * n;
    int64_t rows = net->output->rows;
    int16_t x[2 * rows];
    memset(x, 0, sizeof x);
    if (shared) {
        call_helpers((int)threads);
        if (ahead.of != net || memcmp(ahead.h, h, layers * n * sizeof *h)) {
            withdraw();
            begin(net, h);
        }
        take_part();
        sound = ahead.sound;
    } else
        for (int64_t l = 0; l < layers; l++) {
            product recurrent = {&net->recurrent[l], 1, x, gates + l * 4 * n};
            sound &= split(n, rows, h + l * n, x);
            multiply_all(&recurrent, 0);
        }
    memset(entered, 0, sizeof entered);
    cell(n, gates, entered, net->entering + token * 4 * n, c, after, c_after);
    sound &= split(n, rows, after, x);
    for (int64_t l = 1; l < layers; l++) {
        product input = {&net->input[l - 1], 1, x, entered};
        multiply_all(&input, shared);
        cell(n, gates + l * 4 * n, entered, net->bias + (l - 1) * 4 * n, c + l * n, after + l * n, c_after + l * n);
        sound &= split(n, rows, after + l * n, x);
    }
    if (!sound) after[0] = NAN; /* what it was may have been lost among the integers */
    if (looks) {
        float *logits = after + 2 * layers * n;
        product output = {net->output, 1, x, logits};
        multiply_all(&output, shared);
        for (int64_t v = 0; v < net->output->columns; v++) logits[v] += sound ? net->output_bias[v] : NAN;
    }
    if (shared) {
        begin(net, after);
        atomic_flag_clear(&taken);
    }
}

/* Some texts on this thread, each as it would be alone. h, c: (layers, texts, n). after: h, then c, then (texts,
 * tokens) logits. room: (2, texts, 4n) float32 and (texts, rows of a matrix) int16.
 */
void step_many(const network *net, int64_t texts, const int64_t *tokens, const float *h, const float *c, float *after,
               float *room) {
    int64_t n = net->n, rows = net->output->rows, columns = net->output->columns, all = net->layers * texts * n;
    float *gates = room, *entered = gates + texts * 4 * n, *logits = after + 2 * all;
    int16_t *x = (int16_t *)(entered + texts * 4 * n);
    int sound[texts];
    memset(entered, 0, texts * (4 * n * sizeof *entered + 2 * rows * sizeof *x));
    for (int64_t t = 0; t < texts; t++) sound[t] = 1;
    for (int64_t l = 0; l < net->layers; l++) {
        product recurrent = {&net->recurrent[l], texts, x, gates};
        if (l > 0) {
            product input = {&net->input[l - 1], texts, x, entered};
            multiply_all(&input, 0);
        }
        for (int64_t t = 0; t < texts; t++) sound[t] &= split(n, rows, h + (l * texts + t) * n, x + t * 2 * rows);
        multiply_all(&recurrent, 0);
        for (int64_t t = 0; t < texts; t++) {
            const float *bias = l > 0 ? net->bias + (l - 1) * 4 * n : net->entering + tokens[t] * 4 * n;
            int64_t at = (l * texts + t) * n;
            cell(n, gates + t * 4 * n, entered + t * 4 * n, bias, c + at, after + at, after + all + at);
            sound[t] &= split(n, rows, after + at, x + t * 2 * rows);
            if (!sound[t]) after[at] = NAN;
        }
    }
    product output = {net->output, texts, x, logits};
    multiply_all(&output, 0);
    for (int64_t t = 0; t < texts; t++)
        for (int64_t v = 0; v < columns; v++) logits[t * columns + v] += sound[t] ? net->output_bias[v] : NAN;
}

/* -- the choice ------------------------------------------------------------------------------------------------ */

static int stands_before(const float *logits, int32_t a, int32_t b) { /* the likeliest first, ties by number */
    return logits[a] > logits[b] || (logits[a] == logits[b] && a < b);
}

static void sink(const float *logits, int32_t *heap, int64_t size, int64_t at) {
    for (int64_t child; (child = 2 * at + 1) < size; at = child) {
        if (child + 1 < size && stands_before(logits, heap[child + 1], heap[child])) child++;
        if (!stands_before(logits, heap[child], heap[at])) return;
        int32_t token = heap[at];
        heap[at] = heap[child];
        heap[child] = token;
    }
}

/* The token that `Distribution` (distribution.py) chooses for u in [0, 1): temperature, top-k, top-p, min-p. top_k at
 * least 1, top_p 1 and min_p 0 keep all. -1 where a logit is no finite number.
 */
int64_t choose(int64_t tokens, const float *logits, double temperature, int64_t top_k, double top_p, double min_p,
               double u) {
    int32_t heap[tokens], order[tokens];
    for (int64_t v = 0; v < tokens; v++) {
        if (!isfinite(logits[v])) return -1;
        heap[v] = (int32_t)v;
    }
    for (int64_t at = tokens / 2; at-- > 0;) sink(logits, heap, tokens, at);
    if (temperature == 0) return heap[0];
    double largest = logits[heap[0]], all = 0, sum = 0, weights[tokens], sums[tokens];
#define WEIGHT(token) exp((logits[token] - largest) / temperature)
    int64_t most = top_k < tokens ? top_k : tokens, kept = 0, place = 0;
    int whole = most == tokens, cut = top_p < 1 || min_p > 0; /* of the whole, only what is needed gets sorted */
    for (int64_t v = 0; whole && v < tokens; v++) all += WEIGHT(v);
    for (int64_t left = tokens; kept < most; kept++) {
        int32_t token = order[kept] = heap[0];
        heap[0] = heap[--left];
        sink(logits, heap, left, 0);
        sum += weights[kept] = WEIGHT(token);
        sums[kept] = sum;
        if (whole && !cut && sum > u * all) return token;
        if (whole && cut && ((top_p < 1 && sum >= top_p * all) || weights[kept] < min_p)) {
            kept++;
            break;
        }
    }
    if (!whole && top_p < 1) {
        for (kept = 0; kept < most - 1 && sums[kept] < top_p * sum;) kept++;
        kept++;
    }
    while (kept > 1 && weights[kept - 1] < min_p) kept--;
    while (place < kept - 1 && sums[place] <= u * sums[kept - 1]) place++;
    return order[place];
}

/* -- the end --------------------------------------------------------------------------------------------------- */

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
