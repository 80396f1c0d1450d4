/* One character of each of some texts through a stacked LSTM and its output layer; and the choice of the next one.
 *
 * A step takes as long as it takes to read the weights, so these are quantized: 14-bit integers times a float32 scale
 * for each column, packed eight in seven words, in the order in which they are read. h is quantized to multiples of
 * 2^-14. The products of CHUNK rows are added up as integers, which is exact, and the chunks one after the other as
 * float32: whatever the instructions of the processor, alone or among others, a text gets the same bits.
 * Compiled at run time by native/library.py. Gates lie in the order i f o g, those of i, f, o halved, as in char_model.py.
 */
#include <math.h>
#include <stdint.h>
#include <string.h>
#if defined(__SSE2__)
#include <immintrin.h>
#endif

#define WIDTH 64     /* columns of a block */
#define CHUNK 16     /* rows added up as integers: 16 * (2^13 - 1) * 2^14 is what 32 bits hold */
#define WORDS 7      /* of 16 bits, that hold a chunk's 8 weights of every other row */
#define LOW 0x3fff   /* the bits of a weight in its word, */
#define ZERO 8192    /* as what is added to it: none is negative */
#define ONE 16384.0f /* 2^14, what h is multiplied by */
#define QUANTIZED(rows) ((rows) + (rows) / CHUNK * 2) /* 16-bit numbers of an h, as `quantize` writes it */

typedef struct {             /* (rows, columns), filled up with zeros to whole chunks and whole blocks */
    int64_t rows, columns;
    const uint16_t *weights; /* (blocks, rows / CHUNK, WORDS, WIDTH, 2): of the eighth two bits above each of seven */
    const float *scale;      /* (columns): of the product */
} matrix;

typedef struct {
    int64_t layers, n, tokens;
    const float *token_gates; /* (tokens, 4n): the first layer's W_x x + b, a row for each one-hot x */
    const matrix *recurrent;  /* (layers), each n to 4n */
    const matrix *input;      /* (layers - 1), each n to 4n: of the layers above the first */
    const float *bias;        /* (layers - 1, 4n) */
    const matrix *output;     /* n to tokens */
    const float *output_bias; /* (tokens) */
} network;

/* -- y = W x --------------------------------------------------------------------------------------------------- */

#if defined(__AVX512VNNI__)
#define LANES 16
#elif defined(__AVX2__)
#define LANES 8
#else
#define LANES 4
#endif
#define VECTORS 4 /* of columns, for one text at a time: what stays in registers */
#define TEXTS 4   /* at a time, by two vectors of columns */

typedef int32_t ints __attribute__((vector_size(4 * LANES)));
typedef uint32_t sums __attribute__((vector_size(4 * LANES))); /* that may overflow on the way */
typedef uint16_t shorts __attribute__((vector_size(4 * LANES), may_alias));
typedef float floats __attribute__((vector_size(4 * LANES)));

/* Compute `vector` at this place: a compiler that moves the products of a chunk apart holds more vectors than the
 * processor has registers, and with AVX2 a step then takes half as long again.
 */
#if defined(__SSE2__)
#define COMPUTE_HERE(vector) __asm__("" : "+x"(vector))
#elif defined(__aarch64__)
#define COMPUTE_HERE(vector) __asm__("" : "+w"(vector))
#else
#define COMPUTE_HERE(vector)
#endif

/* sum += a0 b0 + a1 b1 in each lane, of pairs of 16-bit integers. */
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

/* Add the two bits above the weights of `words` to those of the words before. */
static inline shorts collect(shorts bits, shorts words) {
#if defined(__AVX512VNNI__) && defined(__AVX512VBMI2__)
    return (shorts)_mm512_shldi_epi16((__m512i)bits, (__m512i)words, 2);
#else
    return bits << 2 | words >> 14;
#endif
}

/* Of a block of W, `vectors` vectors of columns by `texts` texts; both are constants to the compiler.
 * x: (texts, QUANTIZED(rows)). y: (texts, columns).
 */
static inline __attribute__((always_inline)) void multiply_part(const matrix *by, int64_t block, int first,
                                                                const int vectors, const int16_t *x, float *y,
                                                                const int texts) {
    int64_t rows = by->rows, columns = by->columns, from = block * WIDTH + first * LANES;
    const shorts *words = (const shorts *)(by->weights + block * (rows / CHUNK) * WORDS * WIDTH * 2) + first;
    floats total[TEXTS][VECTORS] = {0};
    for (int64_t row = 0; row < rows; row += CHUNK, words += WORDS * (WIDTH / LANES)) {
        sums sum[TEXTS][VECTORS];
        shorts eighth[VECTORS] = {0};
        for (int t = 0; t < texts; t++) { /* -ZERO * (the sum of x): then weights need no sign */
            uint32_t start;
            memcpy(&start, x + t * QUANTIZED(rows) + rows + row / CHUNK * 2, sizeof start);
            for (int v = 0; v < vectors; v++) sum[t][v] = (sums){0} + start;
        }
#pragma GCC unroll 8
        for (int two = 0; two < CHUNK / 2; two++)
#pragma GCC unroll 4
            for (int v = 0; v < vectors; v++) {
                shorts word = two < WORDS ? words[two * (WIDTH / LANES) + v] : eighth[v];
                if (two < WORDS) eighth[v] = collect(eighth[v], word);
                COMPUTE_HERE(eighth[v]);
#pragma GCC unroll 4
                for (int t = 0; t < texts; t++) {
                    int32_t pair;
                    memcpy(&pair, x + t * QUANTIZED(rows) + row + 2 * two, sizeof pair);
                    sum[t][v] = add_products(sum[t][v], word & LOW, (shorts)((ints){0} + pair));
                    COMPUTE_HERE(sum[t][v]);
                }
            }
        for (int t = 0; t < texts; t++)
            for (int v = 0; v < vectors; v++) total[t][v] += __builtin_convertvector((ints)sum[t][v], floats);
    }
    for (int t = 0; t < texts; t++) {
        float of[VECTORS * LANES];
        memcpy(of, total[t], sizeof of);
        for (int64_t j = from; j < columns && j < from + vectors * LANES; j++)
            y[t * columns + j] = of[j - from] * by->scale[j];
    }
}

/* Block by block, so that a block read from memory serves all texts from the core's own cache. */
static void multiply(const matrix *by, int64_t texts, const int16_t *x, float *y) {
    for (int64_t block = 0; block * WIDTH < by->columns; block++) {
        int64_t t = 0;
        for (; t + TEXTS <= texts; t += TEXTS)
            for (int first = 0; first < WIDTH / LANES; first += 2)
                multiply_part(by, block, first, 2, x + t * QUANTIZED(by->rows), y + t * by->columns, TEXTS);
        for (; t < texts; t++)
            for (int first = 0; first < WIDTH / LANES; first += VECTORS)
                multiply_part(by, block, first, VECTORS, x + t * QUANTIZED(by->rows), y + t * by->columns, 1);
    }
}

/* -- the step -------------------------------------------------------------------------------------------------- */

static inline float from_bits(uint32_t bits) { float x; memcpy(&x, &bits, 4); return x; }
static inline uint32_t bits_of(float x) { uint32_t bits; memcpy(&bits, &x, 4); return bits; }

#define ROUNDER 12582912.0f /* 1.5 * 2^23: x + ROUNDER has x, rounded, in its low bits */

/* e^x by Cody & Waite's reduction to |r| <= ln(2)/2 and Cephes' polynomial; relative error below 2e-7. */
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
static inline float sigmoid_of_double(float x) { return 1.0f / (1.0f + exponential(-2.0f * x)); }
static inline float tanh_of(float x) { return 2.0f * sigmoid_of_double(x) - 1.0f; }

/* The equations of torch.nn.LSTM for one text. gates, more: (4n) each, W_h h and W_x x; i, f, o of them are halved. */
static __attribute__((noinline)) void cell(int64_t n, const float *restrict gates, const float *restrict more,
                                           const float *restrict bias, const float *restrict c, float *restrict h_out,
                                           float *restrict c_out) {
    for (int64_t k = 0; k < n; k++) {
        float i = gates[k] + more[k] + bias[k], f = gates[n + k] + more[n + k] + bias[n + k];
        float o = gates[2 * n + k] + more[2 * n + k] + bias[2 * n + k];
        float g = gates[3 * n + k] + more[3 * n + k] + bias[3 * n + k];
        float state = sigmoid_of_double(f) * c[k] + sigmoid_of_double(i) * tanh_of(g);
        c_out[k] = state;
        h_out[k] = sigmoid_of_double(o) * tanh_of(state);
    }
}

/* x: h, from -1 to 1, as multiples of 2^-14, then for each chunk what its sum begins with. 0 where h is not in that
 * range or NaN, which integers cannot say.
 */
static int quantize(int64_t n, int64_t rows, const float *restrict h, int16_t *restrict x) {
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

/* ids: (texts). h, c: (layers, texts, n). after: h and c after the characters, then the logits, (texts, tokens), where
 * asked for. scratch: (2, texts, 4n) float32 and (texts, QUANTIZED(rows of a matrix)) int16. 0 for an unknown id.
 */
int64_t step(const network *net, int64_t texts, const int64_t *ids, const float *h, const float *c, float *after,
             float *scratch, int64_t with_logits) {
    int64_t n = net->n, tokens = net->tokens, rows = net->output->rows, all = net->layers * texts * n;
    float *gates = scratch, *entered = gates + texts * 4 * n, *logits = after + 2 * all;
    int16_t *x = (int16_t *)(entered + texts * 4 * n);
    int sound[texts];
    for (int64_t t = 0; t < texts; t++) {
        if (ids[t] < 0 || ids[t] >= tokens) return 0;
        sound[t] = 1;
    }
    memset(entered, 0, texts * (4 * n * sizeof *entered + QUANTIZED(rows) * sizeof *x));
    for (int64_t l = 0; l < net->layers; l++) {
        if (l > 0) multiply(&net->input[l - 1], texts, x, entered); /* W_x of the h' below, which is still in x */
        for (int64_t t = 0; t < texts; t++)
            sound[t] &= quantize(n, rows, h + (l * texts + t) * n, x + t * QUANTIZED(rows));
        multiply(&net->recurrent[l], texts, x, gates); /* W_h h */
        for (int64_t t = 0; t < texts; t++) {
            const float *bias = l > 0 ? net->bias + (l - 1) * 4 * n : net->token_gates + ids[t] * 4 * n;
            int64_t at = (l * texts + t) * n;
            cell(n, gates + t * 4 * n, entered + t * 4 * n, bias, c + at, after + at, after + all + at);
            sound[t] &= quantize(n, rows, after + at, x + t * QUANTIZED(rows));
            if (!sound[t]) after[at] = NAN; /* it may have been lost among the integers */
        }
    }
    if (!with_logits) return 1;
    multiply(net->output, texts, x, logits); /* W h' + b */
    for (int64_t t = 0; t < texts; t++)
        for (int64_t v = 0; v < tokens; v++) logits[t * tokens + v] += sound[t] ? net->output_bias[v] : NAN;
    return 1;
}

/* -- the choice ------------------------------------------------------------------------------------------------ */

static int ranks_before(const float *logits, int32_t a, int32_t b) { /* likeliest first, ties by id */
    return logits[a] > logits[b] || (logits[a] == logits[b] && a < b);
}

/* Restore the heap of ids, the likeliest at its top, below `at`. */
static void sift_down(const float *logits, int32_t *heap, int64_t size, int64_t at) {
    for (int64_t child; (child = 2 * at + 1) < size; at = child) {
        if (child + 1 < size && ranks_before(logits, heap[child + 1], heap[child])) child++;
        if (!ranks_before(logits, heap[child], heap[at])) return;
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
    for (int64_t at = tokens / 2; at-- > 0;) sift_down(logits, heap, tokens, at);
    if (temperature == 0) return heap[0];
    double largest = logits[heap[0]], all = 0, sum = 0, weights[tokens], sums[tokens];
#define WEIGHT(token) exp((logits[token] - largest) / temperature)
    int64_t most = top_k < tokens ? top_k : tokens, kept = 0, place = 0;
    int whole = most == tokens, cut = top_p < 1 || min_p > 0; /* of the whole, sort only as far as needed */
    for (int64_t v = 0; whole && v < tokens; v++) all += WEIGHT(v);
    for (int64_t left = tokens; kept < most; kept++) {
        int32_t token = order[kept] = heap[0];
        heap[0] = heap[--left];
        sift_down(logits, heap, left, 0);
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
