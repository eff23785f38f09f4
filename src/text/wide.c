/* wide.c - numbers of 128 bits; see wide.h. */
#include "wide.h"

#ifdef WIDE_LEAST_POWER

#define STEP 19

/* The highest 128 bits of every STEP-th power of ten, rounded down. */
static const struct {
    uint64_t high, low;
} powers[] = {
    {UINT64_C(0xeef453d6923bd65a), UINT64_C(0x113faa2906a13b3f)}, /* 10^-342 */
    {UINT64_C(0x818995ce7aa0e1b2), UINT64_C(0x7343efebd1940993)}, /* 10^-323 */
    {UINT64_C(0x8c71dcd9ba0b4925), UINT64_C(0x9ff0c08b7f1d0b14)}, /* 10^-304 */
    {UINT64_C(0x9845418c345644d6), UINT64_C(0x830a13896b78aaa9)}, /* 10^-285 */
    {UINT64_C(0xa5178fff668ae0b6), UINT64_C(0x626e974dbe39a872)}, /* 10^-266 */
    {UINT64_C(0xb2fe3f0b8599ef07), UINT64_C(0x861fa7e6dcb4aa15)}, /* 10^-247 */
    {UINT64_C(0xc21094364dfb5636), UINT64_C(0x985915fc12f542e4)}, /* 10^-228 */
    {UINT64_C(0xd267caa862a12d66), UINT64_C(0xd072df63c324fd7b)}, /* 10^-209 */
    {UINT64_C(0xe41f3d6a7377eeca), UINT64_C(0x20caba5f1d9e4a93)}, /* 10^-190 */
    {UINT64_C(0xf7549530e188c128), UINT64_C(0xd12bee59e68ef47c)}, /* 10^-171 */
    {UINT64_C(0x8613fd0145877585), UINT64_C(0xbd06742ce95f5f36)}, /* 10^-152 */
    {UINT64_C(0x915e2486ef32cd60), UINT64_C(0x0ace1474dc1d122e)}, /* 10^-133 */
    {UINT64_C(0x9d9ba7832936edc0), UINT64_C(0xd54b944b84aa4c0d)}, /* 10^-114 */
    {UINT64_C(0xaae103b5fcd2a881), UINT64_C(0xd652bdc29f26a119)}, /* 10^-95 */
    {UINT64_C(0xb94470938fa89bce), UINT64_C(0xf808e40e8d5b3e69)}, /* 10^-76 */
    {UINT64_C(0xc8de047564d20a8b), UINT64_C(0xf245825a5a445275)}, /* 10^-57 */
    {UINT64_C(0xd9c7dced53c72255), UINT64_C(0x96e7bd358c904a21)}, /* 10^-38 */
    {UINT64_C(0xec1e4a7db69561a5), UINT64_C(0x2b31e9e3d06c32e5)}, /* 10^-19 */
    {UINT64_C(0x8000000000000000), UINT64_C(0x0000000000000000)}, /* 10^0 */
    {UINT64_C(0x8ac7230489e80000), UINT64_C(0x0000000000000000)}, /* 10^19 */
    {UINT64_C(0x96769950b50d88f4), UINT64_C(0x1314448000000000)}, /* 10^38 */
    {UINT64_C(0xa321f2d7226895c7), UINT64_C(0xaff72d52192b6a0d)}, /* 10^57 */
    {UINT64_C(0xb0de65388cc8ada8), UINT64_C(0x3b25a55f43294bcb)}, /* 10^76 */
    {UINT64_C(0xbfc2ef456ae276e8), UINT64_C(0x9e3fedd8c321a67e)}, /* 10^95 */
    {UINT64_C(0xcfe87f7cef46ff16), UINT64_C(0xe612641865679a63)}, /* 10^114 */
    {UINT64_C(0xe16a1dc9d8545e94), UINT64_C(0xf4296dd6fef3d67a)}, /* 10^133 */
    {UINT64_C(0xf46518c2ef5b8cd1), UINT64_C(0x7eb258665fc25d69)}, /* 10^152 */
    {UINT64_C(0x847c9b5d7c2e09b7), UINT64_C(0x69956135febada11)}, /* 10^171 */
    {UINT64_C(0x8fa475791a569d10), UINT64_C(0xf96e017d694487bc)}, /* 10^190 */
    {UINT64_C(0x9bbcc7a142b17ccb), UINT64_C(0x88a66076400bb691)}, /* 10^209 */
    {UINT64_C(0xa8d9d1535ce3b396), UINT64_C(0x7f1839a741a14d0d)}, /* 10^228 */
    {UINT64_C(0xb7118682dbb66a77), UINT64_C(0x3fbc8c33221dc2a1)}, /* 10^247 */
    {UINT64_C(0xc67bb4597ce2ce48), UINT64_C(0xb143c6053edcd0d5)}, /* 10^266 */
    {UINT64_C(0xd732290fbacaf133), UINT64_C(0xa97c177947ad4095)}, /* 10^285 */
    {UINT64_C(0xe950df20247c83fd), UINT64_C(0x47c6b82ef32a2069)}, /* 10^304 */
    {UINT64_C(0xfcf62c1dee382c42), UINT64_C(0x46729e03dd9ed7b5)}, /* 10^323 */
};

/* The powers between them, which have up to 64 bits. */
static const uint64_t steps[STEP] = {UINT64_C(1), UINT64_C(10), UINT64_C(100), UINT64_C(1000),
    UINT64_C(10000), UINT64_C(100000), UINT64_C(1000000), UINT64_C(10000000), UINT64_C(100000000),
    UINT64_C(1000000000), UINT64_C(10000000000), UINT64_C(100000000000), UINT64_C(1000000000000),
    UINT64_C(10000000000000), UINT64_C(100000000000000), UINT64_C(1000000000000000),
    UINT64_C(10000000000000000), UINT64_C(100000000000000000), UINT64_C(1000000000000000000)};

struct wide wide_power_of_ten(int power)
{
    unsigned steps_up = (unsigned)(power - WIDE_LEAST_POWER);
    int row = (int)(steps_up / STEP), below = WIDE_LEAST_POWER + row * STEP;
    struct wide wide = {
        .bits = (uint128)powers[row].high << 64 | powers[row].low,
        .exponent = ((below * 217706) >> 16) - 127, /* 217706 is log2(10) * 2^16 */
    };
    wide_multiply(&wide, steps[steps_up % STEP]);
    return wide;
}

void wide_multiply(struct wide *wide, uint64_t factor)
{
    int zeros = __builtin_clzll(factor);
    factor <<= zeros;
    uint128 low = (uint128)factor * (uint64_t)wide->bits;
    wide->bits = (uint128)factor * (uint64_t)(wide->bits >> 64) + (uint64_t)(low >> 64);
    wide->exponent += 64 - zeros;
    if (!(wide->bits >> 127)) {
        wide->bits <<= 1;
        wide->exponent--;
    }
}
#endif
