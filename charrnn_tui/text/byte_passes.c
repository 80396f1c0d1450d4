/* The passes over a text's bytes, at the speed at which memory gives them. Compiled at run time; `bytes` does the same. */
#include <stdint.h>
#include <string.h>
#if defined(__AVX512VBMI2__)
#include <immintrin.h>
#endif

/* CRLF and CR as LF; how many bytes that leaves. A CR at the end stands alone. out: room for n. */
int64_t unify_newlines(const uint8_t *in, int64_t n, uint8_t *out) {
    int64_t at = 0, count = 0;
#if defined(__AVX512VBMI2__)
    const __m512i line_feed = _mm512_set1_epi8('\n');
    for (; at + 65 <= n; at += 64) {
        __m512i bytes = _mm512_loadu_si512(in + at);
        uint64_t returns = _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8('\r'));
        uint64_t fed = _mm512_cmpeq_epi8_mask(_mm512_loadu_si512(in + at + 1), line_feed);
        uint64_t kept = ~(returns & fed); /* the line feed that follows stays */
        bytes = _mm512_mask_mov_epi8(bytes, returns, line_feed);
        _mm512_storeu_si512(out + count, _mm512_maskz_compress_epi8(kept, bytes)); /* what is over gets overwritten */
        count += __builtin_popcountll(kept);
    }
#endif
    while (at < n) {
        const uint8_t *found = memchr(in + at, '\r', n - at);
        int64_t run = found ? found - (in + at) : n - at;
        memcpy(out + count, in + at, run);
        at += run;
        count += run;
        if (found) {
            out[count++] = '\n';
            at += at + 1 < n && in[at + 1] == '\n' ? 2 : 1;
        }
    }
    return count;
}

/* Each byte replaced by table[byte]; whether one was replaced by 255. in and out may be the same. */
int look_up(const uint8_t *in, int64_t n, const uint8_t *table, uint8_t *out) {
    int64_t at = 0;
    int unknown = 0;
#if defined(__AVX512VBMI2__)
    const __m512i first = _mm512_loadu_si512(table), second = _mm512_loadu_si512(table + 64);
    const __m512i third = _mm512_loadu_si512(table + 128), fourth = _mm512_loadu_si512(table + 192);
    __mmask64 at_255 = 0;
    for (; at + 64 <= n; at += 64) { /* an index has seven bits, the eighth chooses */
        __m512i bytes = _mm512_loadu_si512(in + at);
        __m512i low = _mm512_permutex2var_epi8(first, bytes, second);
        __m512i high = _mm512_permutex2var_epi8(third, bytes, fourth);
        bytes = _mm512_mask_mov_epi8(low, _mm512_movepi8_mask(bytes), high);
        at_255 |= _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8(-1));
        _mm512_storeu_si512(out + at, bytes);
    }
    unknown = at_255 != 0;
#endif
    for (; at < n; at++) {
        out[at] = table[in[at]];
        unknown |= out[at] == 255;
    }
    return unknown;
}
