/* What an LSTM layer does at each time step: its elementwise part, forward and backward, each in one pass over memory,
 * and the product with the recurrent weights.
 *
 * A row of gates is i, f, g, o side by side, each n wide, as in torch.nn.LSTM. Every function comes twice: for float32
 * and for bfloat16 storage; the arithmetic and the cell state are float32. NaN stays NaN, so that a diverging training
 * is noticed. Compiled at run time; without OpenMP it runs on one thread.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef uint16_t bfloat16;
typedef float float32;

static inline float from_bits(uint32_t bits) { float x; memcpy(&x, &bits, 4); return x; }
static inline uint32_t bits_of(float x) { uint32_t bits; memcpy(&bits, &x, 4); return bits; }

static inline float load_float32(float32 x) { return x; }
static inline float32 store_float32(float x) { return x; }
static inline float load_bfloat16(bfloat16 x) { return from_bits((uint32_t)x << 16); }
static inline bfloat16 store_bfloat16(float x) { /* to nearest, ties to even */
    uint32_t bits = bits_of(x);
    uint32_t rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
    return x != x ? 0x7fc0 : (bfloat16)rounded;
}

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
static inline float sigmoid(float x) { return 1.0f / (1.0f + exponential(-x)); }
static inline float hyperbolic_tangent(float x) { return 2.0f / (1.0f + exponential(-2.0f * x)) - 1.0f; }

/* One row per text of the batch, n = n_hidden. With * elementwise (Hochreiter & Schmidhuber 1997, Gers et al. 2000):
 *
 * forward:  a = recurrent + input; i, f, o = sigma(a); g = tanh(a); c = f * c_before + i * g; h = o * tanh(c).
 *           recurrent (rows, 4n) is R h_before; input (rows, 4n) is W x + b, or its row input_row[b] is, with
 *           input_row (rows,). gates (rows, 4n) gets i, f, g, o and may be input. c_before, c, h: (rows, n).
 * backward: d_output and d_h (rows, n) are dL/dh from the layer above and from the next time step, d_c is dL/dc from
 *           the next time step. gates becomes dL/da, by sigma' = sigma (1 - sigma) and tanh' = 1 - tanh^2; d_c becomes
 *           dL/dc_before.
 * add_rows: adds row r of `from` (rows, n) to row ids[r] of sums. */
#define FUNCTIONS(T)                                                                                                  \
    void forward_##T(int64_t threads, int64_t rows, int64_t n, const T *recurrent, const T *input,                    \
                     const int64_t *input_row, const float *c_before, T *gates, float *c, T *h) {                     \
        _Pragma("omp parallel for schedule(static) num_threads(threads)")                                             \
        for (int64_t b = 0; b < rows; b++) {                                                                          \
            const T *rec = recurrent + b * 4 * n, *in = input + (input_row ? input_row[b] : b) * 4 * n;               \
            T *act = gates + b * 4 * n;                                                                               \
            _Pragma("omp simd")                                                                                       \
            for (int64_t k = 0; k < n; k++) {                                                                         \
                float i = sigmoid(load_##T(rec[k]) + load_##T(in[k]));                                                \
                float f = sigmoid(load_##T(rec[n + k]) + load_##T(in[n + k]));                                        \
                float g = hyperbolic_tangent(load_##T(rec[2 * n + k]) + load_##T(in[2 * n + k]));                     \
                float o = sigmoid(load_##T(rec[3 * n + k]) + load_##T(in[3 * n + k]));                                \
                float cell = f * c_before[b * n + k] + i * g;                                                         \
                act[k] = store_##T(i);                                                                                \
                act[n + k] = store_##T(f);                                                                            \
                act[2 * n + k] = store_##T(g);                                                                        \
                act[3 * n + k] = store_##T(o);                                                                        \
                c[b * n + k] = cell;                                                                                  \
                h[b * n + k] = store_##T(o * hyperbolic_tangent(cell));                                               \
            }                                                                                                         \
        }                                                                                                             \
    }                                                                                                                 \
    void backward_##T(int64_t threads, int64_t rows, int64_t n, const T *d_output, const T *d_h, T *gates,            \
                      const float *c_before, const float *c, float *d_c) {                                            \
        _Pragma("omp parallel for schedule(static) num_threads(threads)")                                             \
        for (int64_t b = 0; b < rows; b++) {                                                                          \
            T *act = gates + b * 4 * n;                                                                               \
            _Pragma("omp simd")                                                                                       \
            for (int64_t k = 0; k < n; k++) {                                                                         \
                float i = load_##T(act[k]), f = load_##T(act[n + k]);                                                 \
                float g = load_##T(act[2 * n + k]), o = load_##T(act[3 * n + k]);                                     \
                float tanh_c = hyperbolic_tangent(c[b * n + k]);                                                      \
                float dh = load_##T(d_output[b * n + k]) + load_##T(d_h[b * n + k]);                                  \
                float dc = d_c[b * n + k] + dh * o * (1.0f - tanh_c * tanh_c);                                        \
                act[k] = store_##T(dc * g * i * (1.0f - i));                                                          \
                act[n + k] = store_##T(dc * c_before[b * n + k] * f * (1.0f - f));                                    \
                act[2 * n + k] = store_##T(dc * i * (1.0f - g * g));                                                  \
                act[3 * n + k] = store_##T(dh * tanh_c * o * (1.0f - o));                                             \
                d_c[b * n + k] = dc * f;                                                                              \
            }                                                                                                         \
        }                                                                                                             \
    }                                                                                                                 \
    void add_rows_##T(int64_t threads, int64_t rows, int64_t n, const int64_t *ids, const T *from, float *sums) {     \
        _Pragma("omp parallel for schedule(static) num_threads(threads)") /* by columns: the order of sums stays */  \
        for (int64_t begin = 0; begin < n; begin += 256) {                                                            \
            int64_t end = begin + 256 < n ? begin + 256 : n;                                                          \
            for (int64_t r = 0; r < rows; r++)                                                                        \
                for (int64_t k = begin; k < end; k++) sums[ids[r] * n + k] += load_##T(from[r * n + k]);              \
        }                                                                                                             \
    }

FUNCTIONS(float32)
FUNCTIONS(bfloat16)

/* multiply_float32: out (rows, n) = x (rows, k) times weights (k, n), plus bias (n,) if it is not NULL. n is a multiple
 * of `wide`; packed holds the weights as (n / wide, k, wide). A tile of `out`, two vectors wide and TALL rows high, stays
 * in registers while k runs (Goto & van de Geijn 2008). On AVX2 and AVX-512 this takes three quarters (at 32 to 128 rows)
 * to four fifths (at thousands) of the time of PyTorch's products. The threads share tiles: the result does not depend
 * on how many there are. */
#if defined(__AVX2__) && defined(__FMA__)
#ifdef __AVX512F__
#define LANES 16
#else
#define LANES 8
#endif
#define TALL 6
#define DEEP 512 /* of k at a time: a block of the weights, DEEP * wide, fits the first-level cache */
#define BLOCK 132 /* rows of x at a time: a block of them, BLOCK * DEEP, fits the second-level cache */
typedef float vector __attribute__((vector_size(LANES * 4), aligned(4), may_alias));

const int64_t wide = 2 * LANES;

/* Adds x (tall, depth) times weights (depth, wide) to the rows of `start`, `apart` floats from one to the next. */
static inline __attribute__((always_inline)) void tile(const int tall, int64_t depth, int64_t k, int64_t n,
                                                       const float *x, const float *weights, const float *start,
                                                       int64_t apart, float *out) {
    vector sums[TALL][2];
    _Pragma("GCC unroll 6")
    for (int r = 0; r < tall; r++) {
        sums[r][0] = start ? *(const vector *)(start + r * apart) : (vector){0};
        sums[r][1] = start ? *(const vector *)(start + r * apart + LANES) : (vector){0};
    }
    for (int64_t p = 0; p < depth; p++) {
        vector left = *(const vector *)(weights + p * wide), right = *(const vector *)(weights + p * wide + LANES);
        _Pragma("GCC unroll 6")
        for (int r = 0; r < tall; r++) {
            float value = x[r * k + p];
            sums[r][0] += value * left;
            sums[r][1] += value * right;
        }
    }
    _Pragma("GCC unroll 6")
    for (int r = 0; r < tall; r++) {
        *(vector *)(out + r * n) = sums[r][0];
        *(vector *)(out + r * n + LANES) = sums[r][1];
    }
}

void multiply_float32(int64_t threads, int64_t rows, int64_t n, int64_t k, const float *x, const float *packed,
                      const float *bias, float *out) {
    _Pragma("omp parallel for collapse(2) schedule(static) num_threads(threads)")
    for (int64_t top = 0; top < rows; top += BLOCK)
        for (int64_t column = 0; column < n; column += wide)
            for (int64_t begin = 0; begin < k; begin += DEEP) {
                int64_t depth = k - begin < DEEP ? k - begin : DEEP;
                int64_t row = top, end = rows - top < BLOCK ? rows : top + BLOCK, apart = begin ? n : 0;
                const float *weights = packed + column * k + begin * wide;
#define TILES(HEIGHT)                                                                                                 \
    for (; row + HEIGHT <= end; row += HEIGHT) {                                                                      \
        float *to = out + row * n + column;                                                                           \
        const float *start = begin ? to : bias ? bias + column : NULL;                                                \
        tile(HEIGHT, depth, k, n, x + row * k + begin, weights, start, apart, to);                                    \
    }
                TILES(TALL)
                TILES(2)
                TILES(1)
            }
}
#endif
