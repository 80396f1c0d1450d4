/* A character of a text, or of each of some texts, through a stacked LSTM and its output; and the choice of the next.
 *
 * Such a step costs what it costs to read the weights, so these are 14-bit multiples of a scale for each column, eight
 * of them in seven words, and lie in the order in which they are read: blocks of WIDTH columns, of each block two rows
 * after two. What they meet, h, is rounded to multiples of 2^-14. The products of CHUNK rows are summed up as integers,
 * the chunks one after the other as float32: a text is the same with whatever instructions, alone or among others.
 * Of one text, helping threads do their share; while steps follow each other closely they spin, then they sleep. The
 * recurrent products need nothing but the state: helpers begin those of the next character while the caller, after a
 * step, still chooses it. Where the next step starts from another state, they are dropped.
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
#define CHUNK 16         /* rows: 16 * (2^13 - 1) * 2^14 is what 32 bits hold */
#define WORDS 7          /* of 16 bits, that hold a chunk's 8 weights of every other row */
#define LOW 0x3fff       /* the bits of a weight in its word, */
#define ZERO 8192        /* as what is added to it: none is negative */
#define ENTERING(rows) ((rows) + (rows) / CHUNK * 2) /* 16-bit numbers of an h, as `enter` makes it */
#define ONE 16384.0f     /* 2^14 */
#define MOST_HELPERS 63
#define MOST_UNITS 16384 /* of all layers */
#define MOST_LAYERS 64   /* of networks with products worth sharing */
#define SPIN_NANOSECONDS 300000

typedef struct { /* (rows, columns), rows filled up to whole chunks, the last block to its width, with zeros */
    int64_t rows, columns;
    const uint16_t *weights; /* (blocks, rows / CHUNK, WORDS, WIDTH, 2): of the eighth two bits above each of seven */
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
    const int16_t *x; /* (texts, ENTERING(rows)) */
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
#define VECTORS 4
#define TEXTS 4

typedef int32_t ints __attribute__((vector_size(4 * LANES)));
typedef uint32_t sums __attribute__((vector_size(4 * LANES))); /* that may overflow on the way */
typedef uint16_t shorts __attribute__((vector_size(4 * LANES), may_alias));
typedef float floats __attribute__((vector_size(4 * LANES)));

/* In each lane, two numbers of 16 bits by two. */
static inline sums add_products(sums sum, shorts a, shorts b) {
#if defined(__AVX512VNNI__)
    return (sums)_mm512_dpwssd_epi32((__m512i)sum, (__m512i)a, (__m512i)b);
#elif defined(__AVX2__)
    return sum + (sums)_mm256_madd_epi16((__m256i)a, (__m256i)b);
#elif defined(__SSE2__)
    return sum + (sums)_mm_madd_epi16((__m128i)a, (__m128i)b);
#else
    ints low = ((ints)a << 16 >> 16) * ((ints)b << 16 >> 16), high = ((ints)a >> 16) * ((ints)b >> 16);
    return sum + (sums)low + (sums)high;
#endif
}

/* The two bits above a weight join those of the words before. */
static inline shorts collect(shorts bits, shorts words) {
#if defined(__AVX512VNNI__) && defined(__AVX512VBMI2__)
    return (shorts)_mm512_shldi_epi16((__m512i)bits, (__m512i)words, 2);
#else
    return bits << 2 | words >> 14;
#endif
}

/* Some vectors of the columns of a block by some texts, as many as stay in registers: both known to the compiler. */
static inline __attribute__((always_inline)) void multiply_part(const product *p, int64_t block, int first,
                                                                const int vectors, int64_t text, const int texts) {
    int64_t rows = p->by->rows, columns = p->by->columns, from = block * WIDTH + first * LANES;
    const int16_t *x = p->x + text * ENTERING(rows);
    const shorts *words = (const shorts *)(p->by->weights + block * (rows / CHUNK) * WORDS * WIDTH * 2) + first;
    floats y[TEXTS][VECTORS] = {0};
    for (int64_t row = 0; row < rows; row += CHUNK, words += WORDS * (WIDTH / LANES)) {
        sums sum[TEXTS][VECTORS];
        shorts last[VECTORS] = {0};
        for (int t = 0; t < texts; t++) {
            uint32_t start;
            memcpy(&start, x + t * ENTERING(rows) + rows + row / CHUNK * 2, sizeof start);
            for (int v = 0; v < vectors; v++) sum[t][v] = (sums){0} + start;
        }
#pragma GCC unroll 8
        for (int two = 0; two < CHUNK / 2; two++)
#pragma GCC unroll 4
            for (int v = 0; v < vectors; v++) {
                shorts word = two < WORDS ? words[two * (WIDTH / LANES) + v] : last[v];
                if (two < WORDS) last[v] = collect(last[v], word);
#pragma GCC unroll 4
                for (int t = 0; t < texts; t++) {
                    int32_t pair;
                    memcpy(&pair, x + t * ENTERING(rows) + row + 2 * two, sizeof pair);
                    sum[t][v] = add_products(sum[t][v], word & LOW, (shorts)((ints){0} + pair));
                }
            }
        for (int t = 0; t < texts; t++)
            for (int v = 0; v < vectors; v++) y[t][v] += __builtin_convertvector((ints)sum[t][v], floats);
    }
    for (int t = 0; t < texts; t++) {
        float of[VECTORS * LANES], *to = p->y + (text + t) * columns;
        memcpy(of, y[t], sizeof of);
        for (int64_t j = from; j < columns && j < from + vectors * LANES; j++) to[j] = of[j - from] * p->by->scale[j];
    }
}

static void multiply(const product *p, int64_t block) {
    int64_t text = 0;
    for (; text + TEXTS <= p->texts; text += TEXTS)
        for (int first = 0; first < WIDTH / LANES; first += 2) multiply_part(p, block, first, 2, text, TEXTS);
    for (; text < p->texts; text++)
        for (int first = 0; first < WIDTH / LANES; first += VECTORS) multiply_part(p, block, first, VECTORS, text, 1);
}

static int64_t blocks_of(const product *p) { return (p->by->columns + WIDTH - 1) / WIDTH; }

/* -- many blocks, by as many threads --------------------------------------------------------------------------- */

/* What is offered is dealt out evenly, to everybody the same blocks each time: a core finds them in its own cache. Who
 * is through with his takes from the others', from the end that they come to last.
 */
static const product *work;        /* what is offered, all with as many blocks */
static int64_t work_blocks;        /* of each product */
static int64_t work_all;           /* of all products */
static _Atomic int work_hands;     /* who has a share: the caller, and helpers */
static int work_backwards;         /* a share begins with its last block */
static struct { _Alignas(64) _Atomic uint64_t claim; } shares[MOST_HELPERS + 1];
static _Atomic int64_t finished;   /* blocks of the offer that are done */
static _Atomic int wanted, asleep; /* helpers that may help; helpers that must be woken */
static atomic_flag taken = ATOMIC_FLAG_INIT; /* by the step that may offer */
static int helpers;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t call = PTHREAD_COND_INITIALIZER;

/* A claim: the blocks of the share, those that others took of it, those that its owner took: 21 bits each. */
#define BITS 21
#define OF(claim, place) ((int64_t)((claim) >> ((place) * BITS)) & ((1 << BITS) - 1))
#define TAKEN(claim) (OF(claim, 0) + OF(claim, 1))
#define BLOCKS(claim) OF(claim, 2)

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

static void take_blocks(int me) {
    int hands = work_hands;
    for (int hand = me; hand < me + hands; hand++) {
        int owner = hand % hands, other = owner != me;
        for (;;) { /* a claim says how many blocks its own offer has: nobody takes one of another */
            uint64_t claim = atomic_fetch_add(&shares[owner].claim, (uint64_t)1 << other * BITS);
            if (TAKEN(claim) >= BLOCKS(claim)) break;
            int64_t first = work_all * owner / work_hands, at = OF(claim, other);
            int64_t block = first + (other == work_backwards ? at : BLOCKS(claim) - 1 - at);
            multiply(&work[block / work_blocks], block % work_blocks);
            atomic_fetch_add(&finished, 1);
        }
    }
}

static int has_work(int number) {
    uint64_t claim = atomic_load(&shares[number].claim);
    return TAKEN(claim) < BLOCKS(claim);
}

static void *help(void *argument) {
    int number = (int)(intptr_t)argument; /* from 1 on: the caller is 0 */
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
        take_blocks(number);
    }
    return NULL;
}

static void forget_all(void);

static void call_helpers(int threads) {
    static int prepared;
    if (!prepared) prepared = pthread_atfork(NULL, NULL, forget_all) == 0;
    while (helpers < threads - 1 && helpers < MOST_HELPERS) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, help, (void *)(intptr_t)(helpers + 1))) break;
        pthread_detach(thread);
        helpers++;
    }
    atomic_store(&wanted, threads - 1);
}

/* Offer all blocks of some products of the same number of columns; the offer before must be over. */
static void offer(const product *products, int64_t count, int backwards) {
    int hands = 1 + (wanted < helpers ? wanted : helpers);
    work = products;
    work_blocks = blocks_of(products);
    work_all = work_blocks * count;
    work_hands = hands;
    work_backwards = backwards;
    atomic_store(&finished, 0);
    for (int hand = hands - 1; hand >= 0; hand--) {
        int64_t blocks = work_all * (hand + 1) / hands - work_all * hand / hands;
        atomic_store(&shares[hand].claim, (uint64_t)blocks << 2 * BITS);
    }
    if (atomic_load(&asleep)) {
        pthread_mutex_lock(&mutex);
        pthread_cond_broadcast(&call);
        pthread_mutex_unlock(&mutex);
    }
}

/* Take part in what is offered, until all of it is done. */
static void take_part(void) {
    take_blocks(0);
    while (atomic_load(&finished) < work_all) relax();
}

/* End an offer: what was taken of it gets done, the rest nobody takes any more. */
static void withdraw(void) {
    int64_t begun = 0;
    for (int hand = 0; hand < work_hands; hand++) {
        uint64_t claim = atomic_exchange(&shares[hand].claim, 0);
        begun += TAKEN(claim) < BLOCKS(claim) ? TAKEN(claim) : BLOCKS(claim);
    }
    while (atomic_load(&finished) < begun) relax();
}

static void multiply_all(const product *p, int shared) {
    if (shared) {
        offer(p, 1, 0);
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

/* h, -1 to 1, as multiples of 2^-14, and what each chunk's sum must begin with for the weights' ZERO. Whether it is
 * that, and no NaN.
 */
static int enter(int64_t n, int64_t rows, const float *restrict h, int16_t *restrict x) {
    int strange = 0;
    for (int64_t k = 0; k < n; k++) {
        float multiple = h[k] * ONE;
        strange |= !(fabsf(multiple) < ONE + 1.0f);
        x[k] = (int16_t)bits_of(multiple + ROUNDER);
    }
    for (int64_t chunk = 0; chunk < rows / CHUNK; chunk++) {
        int32_t sum = 0;
        for (int k = 0; k < CHUNK; k++) sum += x[chunk * CHUNK + k];
        uint32_t start = -(uint32_t)sum * ZERO;
        memcpy(x + rows + chunk * 2, &start, sizeof start);
    }
    return !strange;
}

/* The recurrent products of a state, begun or done. */
static struct {
    const network *of; /* NULL: of none */
    int sound, backwards;
    float h[MOST_UNITS], gates[4 * MOST_UNITS];
    int16_t x[ENTERING(MOST_UNITS + MOST_LAYERS * CHUNK)];
    product products[MOST_LAYERS];
} ahead;

static void begin(const network *net, const float *h) {
    ahead.of = net;
    ahead.sound = 1;
    memcpy(ahead.h, h, net->layers * net->n * sizeof *h);
    int16_t *x = ahead.x;
    for (int64_t l = 0; l < net->layers; l++, x += ENTERING(net->recurrent[l].rows)) {
        memset(x, 0, net->recurrent[l].rows * sizeof *x);
        ahead.sound &= enter(net->n, net->recurrent[l].rows, h + l * net->n, x);
        ahead.products[l] = (product){&net->recurrent[l], 1, x, ahead.gates + l * 4 * net->n};
    }
    offer(ahead.products, net->layers, ahead.backwards ^= 1);
}

/* One text. h, c: (layers, n). after: h, then c, then (tokens) logits, where somebody looks at them. */
void step(const network *net, int64_t token, const float *h, const float *c, float *after, int64_t looks,
          int64_t threads) {
    int64_t n = net->n, layers = net->layers;
    int shared = threads > 1 && layers <= MOST_LAYERS && !atomic_flag_test_and_set(&taken), sound = 1;
    float own[shared ? 1 : layers * 4 * n], entered[4 * n], *gates = shared ? ahead.gates : own;
    float *c_after = after + layers * n;
    int64_t rows = net->output->rows;
    int16_t x[ENTERING(rows)];
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
            sound &= enter(n, rows, h + l * n, x);
            multiply_all(&recurrent, 0);
        }
    memset(entered, 0, sizeof entered);
    cell(n, gates, entered, net->entering + token * 4 * n, c, after, c_after);
    sound &= enter(n, rows, after, x);
    for (int64_t l = 1; l < layers; l++) {
        product input = {&net->input[l - 1], 1, x, entered};
        multiply_all(&input, shared);
        cell(n, gates + l * 4 * n, entered, net->bias + (l - 1) * 4 * n, c + l * n, after + l * n, c_after + l * n);
        sound &= enter(n, rows, after + l * n, x);
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
 * tokens) logits. room: (2, texts, 4n) float32 and (texts, ENTERING(rows of a matrix)) int16.
 */
void step_many(const network *net, int64_t texts, const int64_t *tokens, const float *h, const float *c, float *after,
               float *room) {
    int64_t n = net->n, rows = net->output->rows, columns = net->output->columns, all = net->layers * texts * n;
    float *gates = room, *entered = gates + texts * 4 * n, *logits = after + 2 * all;
    int16_t *x = (int16_t *)(entered + texts * 4 * n);
    int sound[texts];
    memset(entered, 0, texts * (4 * n * sizeof *entered + ENTERING(rows) * sizeof *x));
    for (int64_t t = 0; t < texts; t++) sound[t] = 1;
    for (int64_t l = 0; l < net->layers; l++) {
        product recurrent = {&net->recurrent[l], texts, x, gates};
        if (l > 0) {
            product input = {&net->input[l - 1], texts, x, entered};
            multiply_all(&input, 0);
        }
        for (int64_t t = 0; t < texts; t++) sound[t] &= enter(n, rows, h + (l * texts + t) * n, x + t * ENTERING(rows));
        multiply_all(&recurrent, 0);
        for (int64_t t = 0; t < texts; t++) {
            const float *bias = l > 0 ? net->bias + (l - 1) * 4 * n : net->entering + tokens[t] * 4 * n;
            int64_t at = (l * texts + t) * n;
            cell(n, gates + t * 4 * n, entered + t * 4 * n, bias, c + at, after + at, after + all + at);
            sound[t] &= enter(n, rows, after + at, x + t * ENTERING(rows));
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

void choose_many(int64_t texts, int64_t tokens, const float *logits, double temperature, int64_t top_k, double top_p,
                 double min_p, const double *u, int64_t *chosen) {
    for (int64_t t = 0; t < texts; t++)
        chosen[t] = choose(tokens, logits + t * tokens, temperature, top_k, top_p, min_p, u[t]);
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
    for (int hand = 0; hand <= MOST_HELPERS; hand++) atomic_store(&shares[hand].claim, 0);
    atomic_store(&asleep, 0);
    atomic_flag_clear(&taken);
    pthread_mutex_init(&mutex, NULL);
    pthread_cond_init(&call, NULL);
}
